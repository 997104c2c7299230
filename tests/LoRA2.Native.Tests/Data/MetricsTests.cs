using FsCheck.Xunit;
using LoRA2.Native.Data;

namespace LoRA2.Native.Tests.Data;

public class MetricsTests
{
    // TP 3, FP 1, FN 2, TN 4.
    private static readonly int[] Predicted = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0];
    private static readonly int[] Actual = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0];

    [Fact]
    public void KnownValuesOfClasses()
    {
        Assert.Equal(0.7, Metrics.Accuracy(Predicted, Actual), 15);
        Assert.Equal(2.0 * 3 / (2 * 3 + 1 + 2), Metrics.F1(Predicted, Actual), 15);
        // (3·4 − 1·2) / sqrt(4·5·5·6)
        Assert.Equal(10 / Math.Sqrt(600), Metrics.Matthews(Predicted, Actual), 15);
        // Three classes, n = 6, 5 right, predicted 2 2 2, true 2 3 1: 5·6 − (2·2 + 2·3 + 2·1) = 18; 36 − 12 = 24; 36 − 14 = 22.
        Assert.Equal(18 / Math.Sqrt(24.0 * 22), Metrics.Matthews([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 2]), 15);
    }

    [Fact]
    public void KnownValuesOfScores()
    {
        Assert.Equal(1, Metrics.Pearson([1, 2, 3], [2, 4, 6]), 15);
        Assert.Equal(-1, Metrics.Pearson([1, 2, 3], [6, 4, 2]), 15);
        // Deviations (−1.5, −0.5, 0.5, 1.5) and (−1, −2, 2, 1): 1.5 + 1 + 1 + 1.5 = 5; squares 5 and 10.
        Assert.Equal(5 / Math.Sqrt(50), Metrics.Pearson([1, 2, 3, 4], [2, 1, 5, 4]), 15);
        // Without ties 1 − 6·Σd² / (n(n² − 1)): ranks 1 2 3 4 5 and 2 1 4 3 5, Σd² = 4.
        Assert.Equal(1 - 6.0 * 4 / (5 * 24), Metrics.Spearman([10, 20, 30, 40, 50], [0.2, 0.1, 0.9, 0.3, 7]), 15);
        // Ties share their mean rank: 1.5 1.5 3 4 against 1 2 3 4: Σ = 4.5, squares 4.5 and 5.
        Assert.Equal(4.5 / Math.Sqrt(4.5 * 5), Metrics.Spearman([1, 1, 2, 3], [1, 2, 3, 4]), 15);
        Assert.Equal(new[] { 2.5, 1, 2.5, 4 }, Metrics.Ranks([5, 1, 5, 9]));
        // A large offset costs a one-pass formula all its digits.
        Assert.Equal(5 / Math.Sqrt(50), Metrics.Pearson([1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4], [2, 1, 5, 4]), 12);
    }

    [Fact]
    public void DegenerateInputs()
    {
        Assert.Equal(0, Metrics.Matthews([1, 1, 1], [0, 1, 0]));
        Assert.Equal(0, Metrics.Matthews([0, 1, 0], [1, 1, 1]));
        Assert.Equal(0, Metrics.Matthews([1], [1]));
        Assert.Equal(0, Metrics.F1([0, 0], [0, 0]));
        Assert.Equal(0, Metrics.F1([0, 0], [1, 0]));
        Assert.Equal(0, Metrics.Pearson([0.1, 0.1, 0.1], [1, 2, 3]));
        Assert.Equal(0, Metrics.Pearson([1, 2, 3], [0.1, 0.1, 0.1]));
        Assert.Equal(0, Metrics.Spearman([4, 4], [1, 2]));
        Assert.Equal(double.NaN, Metrics.Pearson([1, double.NaN], [1, 2]));
        Assert.Equal(double.NaN, Metrics.Pearson([double.NaN, double.NaN], [1, 2]));
        Assert.Equal(double.NaN, Metrics.Spearman([1, double.NaN], [1, 2]));
        Assert.Equal(1, Metrics.Spearman([1, double.PositiveInfinity], [1, 2]), 15);
        Assert.Throws<ArgumentException>(() => Metrics.Accuracy([], []));
        Assert.Throws<ArgumentException>(() => Metrics.Pearson([1], [1, 2]));
    }

    [Property]
    public void PropertiesOfClasses(PredictedClasses drawn)
    {
        (int[] p, int[] a) = (drawn.Predicted, drawn.Actual);
        Assert.InRange(Metrics.Accuracy(p, a), 0, 1);
        Assert.InRange(Metrics.F1(p, a), 0, 1);
        Assert.InRange(Metrics.Matthews(p, a), -1, 1);
        Assert.Equal(1, Metrics.Accuracy(p, p));
        Assert.Equal(p.Contains(1) ? 1 : 0, Metrics.F1(p, p));
        Assert.Equal(p.Distinct().Count() > 1 ? 1 : 0, Metrics.Matthews(p, p), 12);
        Assert.Equal(Metrics.Accuracy(p, a), Metrics.Accuracy(a, p));
        Assert.Equal(Metrics.F1(p, a), Metrics.F1(a, p));
        Assert.Equal(Metrics.Matthews(p, a), Metrics.Matthews(a, p), 12);
        // Matthews does not care what the classes are called, nor in which order the examples come.
        int[] P(int[] x) => [.. x.Reverse().Select(c => (c + 1) % 3)];
        Assert.Equal(Metrics.Matthews(p, a), Metrics.Matthews(P(p), P(a)), 12);
    }

    [Property]
    public void PropertiesOfScores(PredictedScores drawn)
    {
        (double[] p, double[] a) = (drawn.Predicted, drawn.Actual);
        Func<double[], double[], double>[] metrics = [(x, y) => Metrics.Pearson(x, y), (x, y) => Metrics.Spearman(x, y)];
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
        Assert.Equal(Metrics.Spearman(p, a), Metrics.Spearman([.. p.Select(Math.Exp)], a), 12);
        Assert.Equal(p.Length * (p.Length + 1) / 2.0, Metrics.Ranks(p).Sum(), 9);
    }

    [Fact]
    public void EvaluationsHaveThePrimaryMetricFirst()
    {
        Evaluation classes = Evaluation.OfClasses(GlueTask.Get("mrpc").Metrics, Predicted, Actual);
        Assert.Equal(["accuracy", "f1"], classes.Values.Select(v => v.Name));
        Assert.Equal(new MetricValue("accuracy", 0.7), classes.Primary);
        Evaluation scores = Evaluation.OfScores(GlueTask.Get("stsb").Metrics, [1, 2], [3, 4]);
        Assert.Equal(["pearson", "spearman"], scores.Values.Select(v => v.Name));
        Assert.Throws<ArgumentException>(() => Evaluation.OfClasses([Metric.Pearson], Predicted, Actual));
        Assert.Throws<ArgumentException>(() => Evaluation.OfScores([Metric.F1], [1], [1]));
    }
}
