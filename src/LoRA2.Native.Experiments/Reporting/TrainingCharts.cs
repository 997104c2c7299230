using System.Globalization;
using System.Xml.Linq;
using LoRA2.Native.Training;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>Loss, metrics, learning rate and gradient over the steps of a run.</summary>
internal sealed class TrainingCharts(TrainingSeries series, TrainingOptions options, Axis steps)
{
    /// <summary>Task loss, each step and the running mean.</summary>
    public XElement Loss()
    {
        (double X, double Y)[] raw = Points(point => point.Loss), mean = Curve.RunningMean(raw);
        string about = series.Stride > 1 ? $"Means of {series.Stride} steps and their running mean." : raw.Length >= 60 ? "Each step and the running mean." : "Each step.";
        Line bold = new(raw.Length >= 60 ? "running mean" : null, Curve.Thinned(mean));
        Line[] lines = raw.Length >= 60 ? [new Line(series.Stride > 1 ? "mean of the stretch" : "step", Curve.Thinned(raw), Kind: LineKind.Faint), bold] : [bold];
        return Html.Figure("Training loss", about, LineChart.Of($"Training loss, from {mean[0].Y:0.####} to {mean[^1].Y:0.####}", steps, FromZero(raw), "step", lines), Numbers());
    }

    /// <summary>The metrics on the development data; null without evaluations.</summary>
    public XElement? Metrics(IReadOnlyList<EvaluationPoint> evaluations, EvaluationPoint? best, (string Label, string Metric, double Value)? majority)
    {
        if (evaluations.Count == 0) return null;
        string[] names = [.. evaluations[0].Metrics.Select(metric => metric.Name)];
        List<Line> lines = [.. names.Select((name, i) => new Line(name, [.. evaluations.Select(point => ((double)point.Step, point.Metrics[i].Value))], 1 + (i % 6), LineKind.Dotted))];
        if (majority is { } always && names.Contains(always.Metric))
            lines.Add(new Line($"{always.Metric} of always answering {always.Label}", [(steps.From, always.Value), (steps.To, always.Value)], 1 + (Array.IndexOf(names, always.Metric) % 6), LineKind.Dashed));
        double[] values = [.. lines.SelectMany(line => line.Points).Select(point => point.Y).Where(double.IsFinite)];
        if (values.Length == 0) return null;
        XElement table = Html.Table(
            ["step", "epoch", .. names, "training loss"],
            evaluations.Select(point => (IReadOnlyList<object?>)[Text(point.Step), point.Epoch.ToString("F2", CultureInfo.InvariantCulture), .. point.Metrics.Select(metric => Score(metric.Value)), Score(point.TrainingLoss)]),
            [.. Enumerable.Range(0, names.Length + 3)]);
        string about = best is null ? "" : $"The best {names[0]}, {Score(best.Metrics[0].Value)}, is after step {Text(best.Step)}; the saved weights are those.";
        string label = $"{string.Join(", ", names)} on the development data after each of {evaluations.Count} evaluations";
        return Html.Figure("Development metrics", about, LineChart.Of(label, steps, Axis.Over(values.Min(), values.Max()), "step", lines), Html.Details("Every evaluation", table));
    }

    public XElement LearningRate()
    {
        (double X, double Y)[] points = Points(point => point.LearningRate);
        string decay = options.Decay.ToString().ToLowerInvariant();
        return Html.Figure("Learning rate", $"{(options.Decay == Decay.Constant ? "Constant" : $"A {decay} decay")} after the warm-up.", LineChart.Of(
            $"Learning rate, at most {points.Max(point => point.Y)}", steps, Axis.Over(0, points.Max(point => point.Y), 4), "step", new Line(null, Curve.Thinned(points))));
    }

    public XElement GradientNorm()
    {
        (double X, double Y)[] points = Points(point => point.GradientNorm);
        double[] positive = [.. points.Select(point => point.Y).Where(value => value > 0)];
        List<Line> lines = [new Line(options.ClipNorm > 0 ? "norm" : null, Curve.Thinned(points), Kind: points.Length >= 60 ? LineKind.Faint : LineKind.Plain)];
        bool logarithmic = positive.Length == points.Length && positive.Max() > 20 * positive.Min();
        if (points.Length >= 60) lines.Add(new Line("running mean", Curve.Thinned(Curve.RunningMean(points))));
        if (options.ClipNorm > 0) lines.Add(new Line("clipped to", [(steps.From, options.ClipNorm), (steps.To, options.ClipNorm)], 2, LineKind.Dashed));
        double[] values = [.. lines.SelectMany(line => line.Points).Select(point => point.Y)];
        Axis axis = logarithmic ? Axis.Logarithmic(values.Min(), values.Max()) : Axis.Over(0, values.Max(), 4);
        return Html.Figure("Gradient norm", "Before clipping.", LineChart.Of($"Gradient norm, from {points[0].Y:0.####} to {points[^1].Y:0.####}", steps, axis, "step", lines));
    }

    /// <summary>The method's regulariser; null where there is none.</summary>
    public XElement? Regulariser()
    {
        if (options.Adapter.Method.RegulariserWeight == 0) return null;
        (double X, double Y)[] points = Points(point => point.Regulariser);
        return Html.Figure(
            "Regulariser", $"Mean over the adapted matrices, before its weight of {options.Adapter.Method.RegulariserWeight} in the loss.",
            LineChart.Of($"Regulariser, from {points[0].Y:0.####} to {points[^1].Y:0.####}", steps, FromZero(points), "step", new Line(null, Curve.Thinned(points))));
    }

    public static string Text(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Score(double value) => double.IsFinite(value) ? value.ToString("F4", CultureInfo.InvariantCulture) : "none";

    /// <summary>Some fifty steps in numbers, for those whom a curve says nothing.</summary>
    private XElement Numbers()
    {
        int every = Math.Max(1, (series.Count + 49) / 50);
        bool hasRegulariser = options.Adapter.Method.RegulariserWeight != 0, hasBudget = series[0].Budget is not null;
        string[] headers = ["step", "loss", .. hasRegulariser ? (string[])["regulariser"] : [], "gradient norm", "learning rate", .. hasBudget ? (string[])["budget"] : []];
        IEnumerable<IReadOnlyList<object?>> rows = Enumerable.Range(0, series.Count).Where(i => i % every == 0 || i == series.Count - 1).Select(i => Row(series[i], hasRegulariser, hasBudget));
        return Html.Details(every == 1 ? "Numbers" : $"Numbers, every {Text(every * series.Stride)} steps", Html.Table(headers, rows, [.. Enumerable.Range(0, headers.Length)]));
    }

    private static List<object?> Row(SeriesPoint point, bool hasRegulariser, bool hasBudget)
    {
        var row = new List<object?> { Text(point.Step), Score(point.Loss) };
        if (hasRegulariser) row.Add(Score(point.Regulariser));
        row.Add(Score(point.GradientNorm));
        row.Add(point.LearningRate.ToString("0.000e0", CultureInfo.InvariantCulture));
        if (hasBudget) row.Add(point.Budget?.ToString(CultureInfo.InvariantCulture));
        return row;
    }

    private (double X, double Y)[] Points(Func<SeriesPoint, double> value) => [.. series.Select(point => ((double)point.Step, value(point)))];

    private static Axis FromZero((double X, double Y)[] points)
    {
        double least = points.Min(point => point.Y), greatest = points.Max(point => point.Y);
        return Axis.Over(least >= 0 && least < greatest / 2 ? 0 : least, greatest);
    }
}
