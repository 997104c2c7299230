using FsCheck.Xunit;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tests.Data;

public class MetricsTests
{
    // TP 3, FP 1, FN 2, TN 4.
    private static readonly int[] Predicted = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0];
    private static readonly int[] Actual = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0];

    [Fact]
    public void KnownValuesOfClasses()
    {
        Assert.Equal(0.7, MetricFormulas.Accuracy(Predicted, Actual), 15);
        Assert.Equal(2.0 * 3 / (2 * 3 + 1 + 2), MetricFormulas.F1(Predicted, Actual), 15);
        // (3·4 − 1·2) / sqrt(4·5·5·6)
        Assert.Equal(10 / Math.Sqrt(600), MetricFormulas.Matthews(Predicted, Actual), 15);
        // Three classes, n = 6, 5 right, predicted 2 2 2, true 2 3 1: 5·6 − (2·2 + 2·3 + 2·1) = 18; 36 − 12 = 24; 36 − 14 = 22.
        Assert.Equal(18 / Math.Sqrt(24.0 * 22), MetricFormulas.Matthews([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 2]), 15);
    }

    [Fact]
    public void KnownValuesOfScores()
    {
        Assert.Equal(1, MetricFormulas.Pearson([1, 2, 3], [2, 4, 6]), 15);
        Assert.Equal(-1, MetricFormulas.Pearson([1, 2, 3], [6, 4, 2]), 15);
        // Deviations (−1.5, −0.5, 0.5, 1.5) and (−1, −2, 2, 1): 1.5 + 1 + 1 + 1.5 = 5; squares 5 and 10.
        Assert.Equal(5 / Math.Sqrt(50), MetricFormulas.Pearson([1, 2, 3, 4], [2, 1, 5, 4]), 15);
        // Without ties 1 − 6·Σd² / (n(n² − 1)): ranks 1 2 3 4 5 and 2 1 4 3 5, Σd² = 4.
        Assert.Equal(1 - 6.0 * 4 / (5 * 24), MetricFormulas.Spearman([10, 20, 30, 40, 50], [0.2, 0.1, 0.9, 0.3, 7]), 15);
        // Ties share their mean rank: 1.5 1.5 3 4 against 1 2 3 4: Σ = 4.5, squares 4.5 and 5.
        Assert.Equal(4.5 / Math.Sqrt(4.5 * 5), MetricFormulas.Spearman([1, 1, 2, 3], [1, 2, 3, 4]), 15);
        Assert.Equal(new[] { 2.5, 1, 2.5, 4 }, MetricFormulas.Ranks([5, 1, 5, 9]));
        // A large offset costs a one-pass formula all its digits.
        Assert.Equal(5 / Math.Sqrt(50), MetricFormulas.Pearson([1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4], [2, 1, 5, 4]), 12);
    }

    [Fact]
    public void DegenerateInputs()
    {
        Assert.Equal(0, MetricFormulas.Matthews([1, 1, 1], [0, 1, 0]));
        Assert.Equal(0, MetricFormulas.Matthews([0, 1, 0], [1, 1, 1]));
        Assert.Equal(0, MetricFormulas.Matthews([1], [1]));
        Assert.Equal(0, MetricFormulas.F1([0, 0], [0, 0]));
        Assert.Equal(0, MetricFormulas.F1([0, 0], [1, 0]));
        Assert.Equal(0, MetricFormulas.Pearson([0.1, 0.1, 0.1], [1, 2, 3]));
        Assert.Equal(0, MetricFormulas.Pearson([1, 2, 3], [0.1, 0.1, 0.1]));
        Assert.Equal(0, MetricFormulas.Spearman([4, 4], [1, 2]));
        Assert.Equal(double.NaN, MetricFormulas.Pearson([1, double.NaN], [1, 2]));
        Assert.Equal(double.NaN, MetricFormulas.Pearson([double.NaN, double.NaN], [1, 2]));
        Assert.Equal(double.NaN, MetricFormulas.Spearman([1, double.NaN], [1, 2]));
        Assert.Equal(1, MetricFormulas.Spearman([1, double.PositiveInfinity], [1, 2]), 15);
        Assert.Throws<ArgumentException>(() => MetricFormulas.Accuracy([], []));
        Assert.Throws<ArgumentException>(() => MetricFormulas.Pearson([1], [1, 2]));
    }

    [Property]
    public void PropertiesOfClasses(PredictedClasses drawn)
    {
        (int[] p, int[] a) = (drawn.Predicted, drawn.Actual);
        Assert.InRange(MetricFormulas.Accuracy(p, a), 0, 1);
        Assert.InRange(MetricFormulas.F1(p, a), 0, 1);
        Assert.InRange(MetricFormulas.Matthews(p, a), -1, 1);
        Assert.Equal(1, MetricFormulas.Accuracy(p, p));
        Assert.Equal(p.Contains(1) ? 1 : 0, MetricFormulas.F1(p, p));
        Assert.Equal(p.Distinct().Count() > 1 ? 1 : 0, MetricFormulas.Matthews(p, p), 12);
        Assert.Equal(MetricFormulas.Accuracy(p, a), MetricFormulas.Accuracy(a, p));
        Assert.Equal(MetricFormulas.F1(p, a), MetricFormulas.F1(a, p));
        Assert.Equal(MetricFormulas.Matthews(p, a), MetricFormulas.Matthews(a, p), 12);
        // Matthews does not care what the classes are called, nor in which order the examples come.
        int[] P(int[] x) => [.. x.Reverse().Select(c => (c + 1) % 3)];
        Assert.Equal(MetricFormulas.Matthews(p, a), MetricFormulas.Matthews(P(p), P(a)), 12);
    }

    [Property]
    public void PropertiesOfScores(PredictedScores drawn)
    {
        (double[] p, double[] a) = (drawn.Predicted, drawn.Actual);
        Func<double[], double[], double>[] metrics = [(x, y) => MetricFormulas.Pearson(x, y), (x, y) => MetricFormulas.Spearman(x, y)];
        foreach (Func<double[], double[], double> metric in metrics)
        {
            double value = metric(p, a);
            Assert.InRange(value, -1, 1);
            Assert.Equal(value, metric(a, p), 12);
            Assert.Equal(value, metric([.. p.Select(x => 3 * x + 7)], a), 9);
            Assert.Equal(-value, metric([.. p.Select(x => -x)], a), 12);
            Assert.Equal(p.Distinct().Count() > 1 ? 1 : 0, metric(p, p), 12);
        }
        // Ranks do not change under a monotonic map.
        Assert.Equal(MetricFormulas.Spearman(p, a), MetricFormulas.Spearman([.. p.Select(Math.Exp)], a), 12);
        Assert.Equal(p.Length * (p.Length + 1) / 2.0, MetricFormulas.Ranks(p).Sum(), 9);
    }

    [Fact]
    public void EvaluationsHaveThePrimaryMetricFirst()
    {
        Evaluation classes = Evaluation.Of(GlueTask.Get("mrpc").Metrics, Predictions.OfClasses(Predicted, Actual));
        Assert.Equal(["accuracy", "f1"], classes.Values.Select(v => v.Name));
        Assert.Equal(new MetricValue("accuracy", 0.7), classes.Primary);
        Evaluation scores = Evaluation.Of(GlueTask.Get("stsb").Metrics, Predictions.OfScores([1, 2], [3, 4]));
        Assert.Equal(["pearson", "spearman"], scores.Values.Select(v => v.Name));
        Assert.Contains("metric pearson compares scores; classes were predicted", Assert.Throws<ArgumentException>(() => Evaluation.Of([Metric.Pearson], Predictions.OfClasses(Predicted, Actual))).Message, StringComparison.Ordinal);
        Assert.Contains("metric f1 compares classes; scores were predicted", Assert.Throws<ArgumentException>(() => Evaluation.Of([Metric.F1], Predictions.OfScores([1], [1]))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Predictions.OfClasses([], []));
        Assert.Throws<ArgumentException>(() => Predictions.OfScores([1], [1, 2]));
    }

    [Fact]
    public void LogitsHaveClassesAndProbabilities()
    {
        Predictions predictions = Predictions.OfLogits([[0, 1], [2, 2]], [1, 1]);
        Assert.Equal([1, 0], predictions.Classes.ToArray());
        Assert.Equal(1 / (1 + Math.E), predictions.Probabilities(0)[0], 12);
        Assert.Equal([0.5, 0.5], predictions.Probabilities(1));
        Assert.Throws<InvalidOperationException>(() => Predictions.OfClasses([1], [1]).Probabilities(0));
    }

    [Fact]
    public void KnownValuesOfSetsOfLabels()
    {
        // Label 0: predicted of examples 0 and 2, true of 0 and 1. Label 1: predicted and true of 1. Label 2: neither anywhere.
        var sets = new LabelSets(
            [[0.9, 0.2, 0.1], [0.3, 0.8, 0.2], [0.6, 0.1, 0.3]], [[true, false, false], [true, true, false], [false, false, false]], [0.5, 0.5, 0.5]);
        Assert.Equal(2.0 * 2 / (3 + 3), LabelSetFormulas.MicroF1(sets), 15);
        Assert.Equal((0.5 + 1 + 0) / 3, LabelSetFormulas.MacroF1(sets), 15);
        // scikit-learn's average_precision_score([1, 1, 0], [.9, .3, .6]) is 1 · 1/2 + 2/3 · 1/2; that of label 1 is 1; label 2 has none.
        Assert.Equal(((0.5 + (2.0 / 3 * 0.5)) + 1) / 2, LabelSetFormulas.AveragePrecision(sets), 15);
        Assert.Equal(1.0 / 3, LabelSetFormulas.ExactMatch(sets), 15);
    }

    [Fact]
    public void EqualProbabilitiesPassAThresholdTogether() =>
        Assert.Equal(0.5, LabelSetFormulas.AveragePrecision(new LabelSets([[0.4], [0.4]], [[true], [false]], [0.5])), 15);

    [Fact]
    public void EveryMetricHasANameOfItsOwnAndADirection()
    {
        Assert.All(Metrics.All, metric => Assert.Same(metric, Metrics.Named(metric.Name.ToUpperInvariant())));
        Assert.StartsWith("there is no metric \"bleu\"; there are accuracy, f1, matthews, pearson, spearman, ", Assert.Throws<InputException>(() => Metrics.Named("bleu")).Message, StringComparison.Ordinal);
        Assert.Contains("named accuracy already", Assert.Throws<ArgumentException>(() => Metrics.Register(Metric.OfClasses("accuracy", (_, _) => 0))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Metric.OfClasses("Not a name", (_, _) => 0));
        Metric error = Metric.OfScores("error", (_, _) => 0, lowerIsBetter: true);
        Assert.True(error.IsBetter(1, 2) && !error.IsBetter(2, 1) && !error.IsBetter(1, 1));
        Assert.True(Metric.F1.IsBetter(2, 1) && !Metric.F1.IsBetter(1, 2) && !Metric.F1.IsBetter(double.NaN, 1) && Metric.F1.IsBetter(1, double.NaN) && !Metric.F1.IsBetter(double.NaN, double.NaN));
    }

    [Fact]
    public void EveryFormatHasExtensionsOfItsOwn()
    {
        Assert.All(DataFormats.All, format => Assert.All(format.Extensions, extension => Assert.Same(format, DataFormats.Of("a" + extension.ToUpperInvariant()))));
        Assert.Contains(".csv is the extension of comma-separated values already", Assert.Throws<ArgumentException>(() => DataFormats.Register(new("mine", [".mine", ".csv"], _ => null!))).Message, StringComparison.Ordinal);
        Assert.Contains("named JSON Lines already", Assert.Throws<ArgumentException>(() => DataFormats.Register(new("JSON Lines", [".mine"], _ => null!))).Message, StringComparison.Ordinal);
        foreach (string extension in (string[])["csv", ".", ".Csv", ".a.b"]) Assert.Throws<ArgumentException>(() => new DataFormat("mine", [extension], _ => null!));
        Assert.Throws<ArgumentException>(() => new DataFormat("mine", [], _ => null!));
    }
}
