using FsCheck.Xunit;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>Which examples make up which batch: every one once an epoch, another order in each, and texts of like length together.</summary>
public sealed class BatchPlanTests
{
    private static readonly TokenizedDataset Data = Texts(300);

    [Property(MaxTest = 30)]
    public void EveryExampleIsInOneBatchOfAnEpoch(byte size, ushort seed, byte epoch)
    {
        int batchSize = (size % 40) + 1;
        int[][] batches = BatchPlan.ForEpoch(Data, batchSize, seed, epoch);
        Assert.Equal(Enumerable.Range(0, Data.Count), batches.SelectMany(batch => batch).Order());
        Assert.All(batches, batch => Assert.InRange(batch.Length, 1, batchSize));
        Assert.Equal((Data.Count + batchSize - 1) / batchSize, batches.Length);
        Assert.Equal(batches, BatchPlan.ForEpoch(Data, batchSize, seed, epoch));
    }

    /// <summary>Both the batches and what is in them are others in another epoch, and of another seed.</summary>
    [Fact]
    public void EpochsAndSeedsDiffer()
    {
        int[][] one = BatchPlan.ForEpoch(Data, 4, 1, 0);
        foreach (int[][] other in (int[][][])[BatchPlan.ForEpoch(Data, 4, 1, 1), BatchPlan.ForEpoch(Data, 4, 2, 0)])
        {
            Assert.NotEqual(one.SelectMany(batch => batch), other.SelectMany(batch => batch));
            HashSet<string> sets = [.. one.Select(Members)];
            Assert.True(other.Count(batch => sets.Contains(Members(batch))) < one.Length / 4);
        }

        // With all in one batch there is only the order in it, of equal lengths.
        int[] Whole(int epoch) => Assert.Single(BatchPlan.ForEpoch(Texts(40, 1), 40, 1, epoch));
        Assert.NotEqual(Whole(0), Whole(1));
        // And with one in each, all of other lengths, only the batches' order.
        TokenizedDataset distinct = Texts(20, 20);
        int[][][] orders = [.. Enumerable.Range(0, 4).Select(epoch => BatchPlan.ForEpoch(distinct, 1, 1, epoch))];
        Assert.Equal(4, orders.Select(order => string.Join(' ', order.SelectMany(batch => batch))).Distinct().Count());
    }

    /// <summary>A batch is as long as its longest text: within fifty batches they are sorted, so that little is padding; over all of them they are not.</summary>
    [Fact]
    public void ABatchHasTextsOfLikeLength()
    {
        int[][] batches = BatchPlan.ForEpoch(Data, 4, 1, 0);
        int Padded(int[][] plan) => plan.Sum(batch => batch.Length * batch.Max(Data.Length));
        int[][] unsorted = [.. Enumerable.Range(0, Data.Count).Chunk(4)];
        Assert.True(Padded(batches) < 0.75 * Padded(unsorted), $"{Padded(batches)} against {Padded(unsorted)}");
        // Not over all of the data, where every length fills three batches: texts that are neighbours in one epoch would be so in each.
        Assert.Contains(batches, batch => batch.Min(Data.Length) != batch.Max(Data.Length));
        int[] means = [.. batches.Select(batch => batch.Sum(Data.Length))];
        Assert.NotEqual(means.Order(), means);
        Assert.NotEqual(means.OrderDescending(), means);
    }

    [Fact]
    public void EvaluationGoesFromTheLongestToTheShortest()
    {
        int[] order = [.. BatchPlan.ForEvaluation(Data, 7).SelectMany(batch => batch)];
        Assert.Equal(Enumerable.Range(0, Data.Count), order.Order());
        Assert.Equal(order.Select(Data.Length).OrderDescending(), order.Select(Data.Length));
        Assert.Equal(7, BatchPlan.ForEvaluation(Data, 7).First().Length);
    }

    private static string Members(int[] batch) => string.Join(' ', batch.Order());

    private static TokenizedDataset Texts(int count, int lengths = 25)
    {
        var config = new DebertaV2Config { VocabularySize = 8064, Layers = 1, HiddenSize = 8, Heads = 2, IntermediateSize = 8 };
        Example[] examples = [.. Enumerable.Range(0, count).Select(i => new Example(string.Join(' ', Enumerable.Repeat("parcel", 1 + (i * 7 % lengths))), null, i % 2))];
        return TokenizedDataset.Create("texts", examples, Tokenizer.FromFolder(SharedData.Tokenizer), config, 64);
    }
}
