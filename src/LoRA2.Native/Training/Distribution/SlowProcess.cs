using LoRA2.Native.Communication;

namespace LoRA2.Native.Training.Distribution;

/// <summary>Finds the process that the others wait for: the time for a token, over some steps, against the median of all.</summary>
internal sealed class SlowProcess(Communicator communicator)
{
    private const int Steps = 20;
    private const double Limit = 1.5;

    private readonly double[] seconds = new double[communicator.Size];
    private readonly long[] tokens = new long[communicator.Size];
    private readonly double[] sorted = new double[communicator.Size];
    private readonly bool[] isNamed = new bool[communicator.Size];
    private int steps;

    /// <summary>Takes a step's words.</summary>
    /// <returns>The process that took one and a half times the median or more in the last twenty steps, and that was not named before, with the ratio; else null.</returns>
    public (int Rank, double Ratio)? After(StepWords words)
    {
        for (int rank = 0; rank < seconds.Length; rank++)
        {
            StepWord word = words.Of(rank);
            seconds[rank] += word.Seconds;
            tokens[rank] += word.Tokens;
        }

        if (++steps < Steps) return null;
        // Who had no parts of the batches has no pace.
        int paced = 0;
        for (int rank = 0; rank < seconds.Length; rank++)
        {
            seconds[rank] = tokens[rank] == 0 ? 0 : seconds[rank] / tokens[rank];
            if (tokens[rank] > 0) sorted[paced++] = seconds[rank];
        }

        Array.Sort(sorted, 0, paced);
        // Of two, the faster one.
        double median = paced == 0 ? 0 : sorted[(paced - 1) / 2];
        int slowest = Array.IndexOf(seconds, paced == 0 ? 0 : sorted[paced - 1]);
        bool isSlow = median > 0 && seconds[slowest] >= Limit * median && !isNamed[slowest];
        double ratio = isSlow ? seconds[slowest] / median : 0;
        if (isSlow) isNamed[slowest] = true;
        steps = 0;
        Array.Clear(seconds);
        Array.Clear(tokens);
        return isSlow ? (slowest, ratio) : null;
    }
}
