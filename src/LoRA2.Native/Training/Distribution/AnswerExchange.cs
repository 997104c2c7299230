using LoRA2.Native.Communication;
using LoRA2.Native.Files;

namespace LoRA2.Native.Training.Distribution;

/// <summary>Passes over a data set that are shared among processes, so that each has all answers in the end.</summary>
internal static class AnswerExchange
{
    /// <summary>Has each process answer every so-manieth batch.</summary>
    /// <param name="communicator">The processes.</param>
    /// <param name="batches">All batches, the same in each.</param>
    /// <param name="answers">One for each example.</param>
    /// <param name="answer">Answers batches.</param>
    /// <exception cref="InputException">A process could not answer; the message is that of the first.</exception>
    public static void Share(Communicator communicator, IEnumerable<int[]> batches, float[][] answers, Action<IEnumerable<int[]>> answer)
    {
        int[][] all = [.. batches];
        string? wrong = null;
        try
        {
            answer(all.Where((_, i) => i % communicator.Size == communicator.Rank));
        }
        catch (InputException e)
        {
            wrong = e.Message;
        }

        communicator.Agree(wrong);
        int[][] examples = [.. Enumerable.Range(0, communicator.Size).Select(rank => all.Where((_, i) => i % communicator.Size == rank).SelectMany(batch => batch).ToArray())];
        int[] counts = Array.ConvertAll(examples, some => some.Length), lengths = new int[answers.Length];
        communicator.AllGather<int>([.. examples[communicator.Rank].Select(example => answers[example].Length)], lengths, counts);
        int[] sizes = new int[counts.Length];
        for (int rank = 0, at = 0; rank < counts.Length; at += counts[rank++]) sizes[rank] = lengths.AsSpan(at, counts[rank]).ToArray().Sum();
        float[] values = new float[sizes.Sum()];
        communicator.AllGather<float>([.. examples[communicator.Rank].SelectMany(example => answers[example])], values, sizes);
        int place = 0, start = 0;
        foreach (int example in examples.SelectMany(some => some))
        {
            int length = lengths[place++];
            answers[example] = values.AsSpan(start, length).ToArray();
            start += length;
        }
    }
}
