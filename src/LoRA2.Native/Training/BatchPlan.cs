using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Training;

/// <summary>
/// Which examples make up which batch. For training: a shuffle of the epoch's own, cut into groups of 50 batches, each group sorted by length and
/// cut into batches, and the batches shuffled; a pure function of the seed and the epoch. For evaluation: by length, longest first.
/// </summary>
internal static class BatchPlan
{
    private const int BatchesInGroup = 50;

    public static int[][] ForEpoch(TokenizedDataset data, int batchSize, ulong seed, int epoch)
    {
        var random = new Philox(seed, 0x65706f63_00000000ul | ((ulong)(uint)epoch << 1));
        int[] order = random.Permutation(data.Count);
        var batches = new List<int[]>();
        foreach (int[] group in order.Chunk((int)Math.Min((long)batchSize * BatchesInGroup, Math.Max(data.Count, 1))))
        {
            // Stable: equal lengths stay in the shuffle's order.
            int[] sorted = [.. group.OrderBy(data.Length)];
            batches.AddRange(sorted.Chunk(batchSize));
        }

        int[] places = new Philox(seed, 0x65706f63_00000001ul | ((ulong)(uint)epoch << 1)).Permutation(batches.Count);
        return Array.ConvertAll(places, place => batches[place]);
    }

    public static IEnumerable<int[]> ForEvaluation(TokenizedDataset data, int batchSize) =>
        Enumerable.Range(0, data.Count).OrderByDescending(data.Length).Chunk(batchSize);
}
