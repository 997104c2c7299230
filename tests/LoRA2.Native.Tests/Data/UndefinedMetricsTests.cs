using LoRA2.Native.Data;

namespace LoRA2.Native.Tests.Data;

/// <summary>Where scipy and scikit-learn warn, an evaluation has a note beside its 0.</summary>
public sealed class UndefinedMetricsTests
{
    [Theory]
    [InlineData("f1", new[] { 0, 0 }, new[] { 0, 2 }, "undefined, as no example is of class 1 or predicted to be; 0 was taken")]
    [InlineData("matthews", new[] { 0, 1 }, new[] { 1, 1 }, "undefined, as every example is of one class; 0 was taken")]
    [InlineData("matthews", new[] { 2, 2 }, new[] { 0, 1 }, "undefined, as one class is predicted of every example; 0 was taken")]
    [InlineData("f1", new[] { 0, 0 }, new[] { 1, 0 }, null)]
    [InlineData("matthews", new[] { 1, 0 }, new[] { 0, 1 }, null)]
    [InlineData("accuracy", new[] { 0, 0 }, new[] { 0, 0 }, null)]
    public void OfClasses(string metric, int[] predicted, int[] actual, string? expected) => Says(metric, Predictions.OfClasses(predicted, actual), expected);

    [Theory]
    [InlineData("pearson", new[] { 0.5, 0.5 }, new[] { 1.0, 2 }, "undefined, as 0.5 is predicted of every example; 0 was taken")]
    [InlineData("spearman", new[] { 0.5, 0.5 }, new[] { 1.0, 2 }, "undefined, as 0.5 is predicted of every example; 0 was taken")]
    [InlineData("pearson", new[] { 0.5, 0.6 }, new[] { 3.0, 3 }, "undefined, as every true value is 3; 0 was taken")]
    [InlineData("spearman", new[] { 0.5 }, new[] { 3.0 }, "undefined, as every true value is 3; 0 was taken")]
    [InlineData("pearson", new[] { 1e-200, 2e-200 }, new[] { 1.0, 2 }, "undefined, as the numbers of one side differ by next to nothing; 0 was taken")]
    [InlineData("spearman", new[] { 1e-200, 2e-200 }, new[] { 1.0, 2 }, null)]
    [InlineData("pearson", new[] { 1.0, 2, 3 }, new[] { 1.0, 2, 1 }, null)]
    [InlineData("mse", new[] { 1.0, 1 }, new[] { 1.0, 1 }, null)]
    public void OfScores(string metric, double[] predicted, double[] actual, string? expected) => Says(metric, Predictions.OfScores(predicted, actual), expected);

    [Fact]
    public void OfLabelSets()
    {
        Predictions None(bool isTrue) => Predictions.OfLabelSets(new LabelSets([[0.1, 0.1, 0.1]], [[isTrue, false, false]], [0.5, 0.5, 0.5]));
        Says("micro_f1", None(false), "undefined, as no label is true or predicted of any example; 0 was taken");
        Says("macro_f1", None(false), "3 of 3 labels are neither true nor predicted of any example; 0 was taken for the F1 of each");
        Says("average_precision", None(false), "undefined, as no example has a label; 0 was taken");
        Says("micro_f1", None(true), null);
        Says("macro_f1", None(true), "2 of 3 labels are neither true nor predicted of any example; 0 was taken for the F1 of each");
        Says("average_precision", None(true), "2 of 3 labels are true of no example, and left out of the mean");
        Says("exact_match", None(true), null);
    }

    [Fact]
    public void OfTags()
    {
        Predictions Of(string predicted, string actual) => Predictions.OfTags(new TagSequences([[predicted]], [[actual]]));
        foreach (string metric in (string[])["entity_f1", "strict_entity_f1"])
        {
            Says(metric, Of("O", "O"), "undefined, as no entity is true or predicted; 0 was taken");
            Says(metric, Of("O", "B-A"), null);
        }

        Says("entity_precision", Of("O", "B-A"), "undefined, as no entity is predicted; 0 was taken");
        Says("entity_recall", Of("B-A", "O"), "undefined, as no entity is true; 0 was taken");
        Says("tag_accuracy", Predictions.OfTags(new TagSequences([[]], [[]])), "undefined, as there are no words; 0 was taken");
    }

    /// <summary>Names change with notes kept, and a checkpoint keeps them.</summary>
    [Fact]
    public void ANoteStaysWithItsMetric()
    {
        Evaluation one = Evaluation.Of([Metric.Pearson, Metric.MeanSquaredError], Predictions.OfScores([1, 1], [1, 2]));
        Assert.Equal(0, one.Primary.Value);
        Assert.Equal(["pearson: undefined, as 1 is predicted of every example; 0 was taken"], one.Notes);
        Assert.Equal(["pearson: undefined, as 1 is predicted of every example; 0 was taken", "other_pearson: undefined, as 1 is predicted of every example; 0 was taken"], one.With("other_", one).Notes);
        Assert.True(Metric.Pearson.IsBetter(0.01, one.Primary.Value));
    }

    private static void Says(string metric, Predictions predictions, string? expected)
    {
        MetricValue value = Evaluation.Of([Metrics.Named(metric)], predictions).Primary;
        Assert.Equal(expected, value.Note);
        if (expected?.EndsWith("; 0 was taken", StringComparison.Ordinal) == true) Assert.Equal(0, value.Value);
    }
}
