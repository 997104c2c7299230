using LoRA2.Native.Data;

namespace LoRA2.Native.Tests.Embeddings;

/// <summary>The retrieval metrics of places, by their formulas.</summary>
public sealed class RetrievalMetricsTests
{
    [Fact]
    public void MetricsOfPlaces()
    {
        Predictions places = Predictions.OfScores([1, 2, 4, 10, 11, 500], [1, 1, 1, 1, 1, 1]);
        Assert.Equal((1 + 0.5 + 0.25 + 0.1) / 6, Metric.ReciprocalRank.Compute(places), 1e-12);
        Assert.Equal((1 + (1 / Math.Log2(3)) + (1 / Math.Log2(5)) + (1 / Math.Log2(11))) / 6, Metric.DiscountedGain.Compute(places), 1e-12);
        Assert.Equal(1.0 / 6, Metric.RecallAt1.Compute(places), 1e-12);
        Assert.Equal(4.0 / 6, Metric.RecallAt10.Compute(places), 1e-12);
    }
}
