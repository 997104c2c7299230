using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>One label a text or pair: cross-entropy, and the class of the largest logit.</summary>
public sealed record ClassificationTask : TaskKind
{
    /// <inheritdoc/>
    public override string Name => "classification";

    /// <inheritdoc/>
    public override string Title => "one label a text";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.Classes;

    /// <inheritdoc/>
    public override int LeastLabels => 2;

    /// <inheritdoc/>
    public override string ProblemType => "single_label_classification";

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => labels == 2 ? [Metric.Accuracy, Metric.F1, Metric.Matthews] : [Metric.Accuracy];

    /// <inheritdoc/>
    public override Dataset Read(Table table, DatasetOptions options)
    {
        var texts = new LabelledTable(table, options, LabelColumns);
        if (texts.LabelColumn is not { } column) return texts.Dataset(null, row => texts.Example(row));
        IReadOnlyList<string> names = options.LabelNames ?? texts.ClassesIn(table.Rows.Select(row => texts.Label(row, column)));
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        return texts.Dataset(names, row => texts.Example(row) with { Target = texts.ClassOf(row, texts.Label(row, column), names, known) });
    }

    /// <summary>[batch] Int32 classes.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        Tensor targets = Tensor.Empty([rows.Length], DType.Int32, Device.Cpu);
        for (int row = 0; row < rows.Length; row++) targets.AsSpan<int>()[row] = (int)data.Target(rows[row]);
        return targets;
    }

    /// <summary>The mean cross-entropy of logits [batch, labels] over those labels [batch] that are not negative.</summary>
    public override Tensor Loss(Tensor output, Tensor targets) => Ops.CrossEntropy(output, targets);

    /// <inheritdoc/>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames) =>
        Evaluation.Of(metrics, Data.Predictions.OfLogits(answers, [.. Enumerable.Range(0, data.Count).Select(i => (int)data.Target(i))]));

    /// <summary>The class's number of each example.</summary>
    public override float[] Predictions(float[][] answers) => Array.ConvertAll(answers, row => (float)Data.Predictions.Largest(row));

    /// <inheritdoc/>
    public override Prediction Interpret(float[] answer, IReadOnlyList<string>? labelNames, bool isCut)
    {
        double[] probabilities = Data.Predictions.Softmax(answer);
        int best = Data.Predictions.Largest(answer);
        string label = labelNames is { } names ? names[best] : best.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new Prediction(label, probabilities[best], probabilities, isCut);
    }

    /// <summary>The accuracy of always answering the most frequent class.</summary>
    public override (string Label, string Metric, double Value)? Baseline(Dataset development, IReadOnlyList<string>? labelNames)
    {
        int[] counts = new int[labelNames!.Count];
        foreach (Example example in development.Examples) counts[example.Label]++;
        int most = Array.IndexOf(counts, counts.Max());
        return (labelNames[most], "accuracy", counts[most] / (double)development.Examples.Count);
    }
}
