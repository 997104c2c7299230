using System.Globalization;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>A number a text or pair, or several: the mean squared error over all of them.</summary>
public sealed record RegressionTask : TaskKind
{
    /// <inheritdoc/>
    public override string Name => "regression";

    /// <inheritdoc/>
    public override string Title => "one number a text, or several";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.Scores;

    /// <inheritdoc/>
    public override bool NamesOutputs => false;

    /// <inheritdoc/>
    public override string ProblemType => "regression";

    /// <inheritdoc/>
    public override IReadOnlyList<string> LabelColumns => ["label", "score", "scores", "labels"];

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => labels <= 1 ? [Metric.Pearson, Metric.Spearman] : [Metric.Pearson, Metric.Spearman, Metric.MeanSquaredError];

    /// <summary>One column of numbers; or several, each a target of its name; or a list of numbers in every row.</summary>
    public override Dataset Read(Table table, DatasetOptions options)
    {
        var texts = new LabelledTable(table, options, LabelColumns);
        if (texts.LabelColumn is not { } column) return texts.Dataset(null, row => texts.Example(row));
        if (texts.Columns.Count > 1)
        {
            string[] names = [.. texts.Columns.Select(place => table.Columns[place])];
            texts.RequireNames(names, options.LabelNames);
            return texts.Dataset(names, row => texts.Example(row) with { Targets = [.. texts.Columns.Select(place => texts.Number(row, texts.Label(row, place)))] });
        }

        if (table.Rows[0].ListAt(column) is null) return texts.Dataset(null, row => texts.Example(row) with { Target = texts.Number(row, texts.Label(row, column)) });
        int count = texts.List(table.Rows[0], column).Count;
        IReadOnlyList<string> targets = options.LabelNames ?? [.. Enumerable.Range(0, count).Select(i => $"target_{i}")];
        if (count == 1) return texts.Dataset(null, row => texts.Example(row) with { Target = Numbers(texts, row, column, 1)[0] });
        return texts.Dataset(targets, row => texts.Example(row) with { Targets = Numbers(texts, row, column, targets.Count) });
    }

    /// <summary>Float32, [batch] for one target and [batch, targets] for several.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        int width = data.TargetsOf(rows[0]).Length;
        Tensor targets = Tensor.Empty(width == 1 ? [rows.Length] : [rows.Length, width], DType.Float32, Device.Cpu);
        for (int row = 0; row < rows.Length; row++) data.TargetsOf(rows[row]).CopyTo(targets.AsSpan<float>()[(row * width)..]);
        return targets;
    }

    /// <summary>The mean squared error over texts and targets.</summary>
    public override Tensor Loss(Tensor output, Tensor targets) =>
        Ops.MeanSquaredError(targets.Shape == output.Shape ? output : Ops.Reshape(output, targets.Shape.Extents), targets);

    /// <summary>With several targets the mean of each metric over them, and then each target's own, under the metric's name and the target's.</summary>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames)
    {
        Evaluation Of(int target) => Evaluation.Of(metrics, Data.Predictions.OfScores(
            Array.ConvertAll(answers, row => (double)row[target]), [.. Enumerable.Range(0, data.Count).Select(i => (double)data.TargetsOf(i)[target])]));
        int targets = answers[0].Length;
        if (targets == 1) return Of(0);
        Evaluation[] each = [.. Enumerable.Range(0, targets).Select(Of)];
        Evaluation mean = Evaluation.Of([.. metrics.Select((metric, i) => new MetricValue(metric.Name, each.Average(one => one.Values[i].Value)) { Note = each.Any(one => one.Values[i].Note is not null) ? "undefined for a target, for which 0 was taken" : null })]);
        return each.Index().Aggregate(mean, (all, one) => all.With("", one.Item.Renamed(name => $"{name}_{NameOf(labelNames, one.Index)}")));
    }

    /// <summary>The number of each example; of several targets one example's after the other's.</summary>
    public override float[] Predictions(float[][] answers) => [.. answers.SelectMany(row => row)];

    /// <inheritdoc/>
    public override Prediction Interpret(float[] answer, IReadOnlyList<string>? labelNames, bool isCut) => answer.Length == 1
        ? new Prediction(null, answer[0], null, isCut)
        : new Prediction(null, double.NaN, null, isCut) { Scores = [.. answer.Index().Select(one => new KeyValuePair<string, double>(NameOf(labelNames, one.Index), one.Item))] };

    private static string NameOf(IReadOnlyList<string>? names, int target) => names?[target] ?? target.ToString(CultureInfo.InvariantCulture);

    private static float[] Numbers(LabelledTable texts, TableRow row, int column, int count)
    {
        IReadOnlyList<string> list = texts.List(row, column);
        if (list.Count != count) throw texts.Error(row, $"{list.Count} numbers found, expected {count}");
        return [.. list.Select(text => texts.Number(row, text))];
    }
}
