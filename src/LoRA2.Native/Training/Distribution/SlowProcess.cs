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
        for (int rank = 0; rank < seconds.Length; rank++) sorted[rank] = seconds[rank] = seconds[rank] / Math.Max(1, tokens[rank]);
        Array.Sort(sorted);
        // Of two, the faster one.
        double median = sorted[(sorted.Length - 1) / 2];
        int slowest = Array.IndexOf(seconds, sorted[^1]);
        bool isSlow = median > 0 && seconds[slowest] >= Limit * median && !isNamed[slowest];
        double ratio = isSlow ? seconds[slowest] / median : 0;
        if (isSlow) isNamed[slowest] = true;
        steps = 0;
        Array.Clear(seconds);
        Array.Clear(tokens);
        return isSlow ? (slowest, ratio) : null;
    }
}
