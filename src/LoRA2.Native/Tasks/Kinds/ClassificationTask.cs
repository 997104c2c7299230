using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
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
    public override bool MapsLabels => true;

    /// <summary>What is asked of the classes' weights; <see cref="ForTraining"/> makes <see cref="ClassWeights"/> of it.</summary>
    public ClassWeights? Weighting { get; init; }

    /// <summary>How much a text of each class counts in the loss, in the classes' order; null where all count alike.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<TaskOption> Options { get; } = [ClassWeightSettings.Option<ClassificationTask>((kind, weights) => kind with { Weighting = weights })];

    /// <inheritdoc/>
    public override TaskKind ForTraining(Dataset train)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (Weighting is null) return this;
        IReadOnlyList<string> names = train.LabelNames ?? throw new InputException($"{train.Name} has no labels, expected some where classes have weights");
        return this with { ClassWeights = Weighting.For(names, () => Balanced(train, names.Count)) };
    }

    /// <inheritdoc/>
    public override void RequireTrainable(TokenizedDataset train, EncoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (Weighting is not null && ClassWeights is null) throw new InputException($"{train.Name}: weights of classes were asked for and not made; {nameof(ForTraining)} makes them of the training data");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => labels == 2 ? [Metric.Accuracy, Metric.F1, Metric.Matthews] : [Metric.Accuracy];

    /// <inheritdoc/>
    public override Dataset Read(Table table, DatasetOptions options)
    {
        var texts = new LabelledTable(table, options, LabelColumns);
        if (texts.LabelColumn is not { } column) return texts.Dataset(null, row => texts.Example(row));
        IReadOnlyList<string> names = texts.Names(() => texts.ClassesIn(table.Rows.Select(row => texts.Label(row, column))));
        if (names.Count < LeastLabels) throw new InputException($"{table.Path}: every label is mapped to {Quote.Name(names[0])}, expected at least two classes.");
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        return texts.Dataset(names, row => texts.Example(row) with { Target = texts.ClassOf(row, texts.Label(row, column), names, known) });
    }

    /// <summary>[batch] Int32 classes; with weights of classes [batch, classes] Float32, where each row has its share of the loss at its class.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        if (ClassWeights is { } weights) return Shares(data, rows, weights);
        Tensor targets = Tensor.Empty([rows.Length], DType.Int32, Device.Cpu);
        for (int row = 0; row < rows.Length; row++) targets.AsSpan<int>()[row] = (int)data.Target(rows[row]);
        return targets;
    }

    /// <summary>The sum of the weights of the examples' classes; their number where there are none.</summary>
    public override double Terms(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw)
    {
        if (ClassWeights is not { } weights) return rows.Length;
        double sum = 0;
        foreach (int row in rows) sum += weights[(int)data.Target(row)];
        return sum;
    }

    /// <summary>
    /// The mean cross-entropy of logits [batch, labels] over those labels [batch] that are not negative; with weights of classes their weighted mean, as PyTorch's
    /// <c>cross_entropy</c> with <c>weight</c>, which is computed on the CPU only.
    /// </summary>
    public override Tensor Loss(Tensor output, Tensor targets)
    {
        if (targets.DType == DType.Int32) return Ops.CrossEntropy(output, targets);
        ClassWeightSettings.RequireCpu(output);
        using var scope = new Tensors.Memory.TensorScope();
        return scope.Keep(Ops.Negate(Ops.Sum(Ops.Multiply(Ops.LogSoftmax(output, 1), targets), [])));
    }

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

    /// <inheritdoc/>
    public override TaskKind ReadSettings(ConfigFields fields, int labels) => ClassWeightSettings.Read(fields, labels) is { } weights ? this with { ClassWeights = weights } : this;

    /// <inheritdoc/>
    public override void WriteSettings(Utf8JsonWriter json) => ClassWeightSettings.Write(json, ClassWeights);

    private static double[] Balanced(Dataset train, int classes)
    {
        int[] counts = new int[classes];
        foreach (Example example in train.Examples) counts[example.Label]++;
        int found = counts.Count(count => count > 0);
        return Array.ConvertAll(counts, count => count == 0 ? 1 : train.Examples.Count / ((double)found * count));
    }

    private static Tensor Shares(TokenizedDataset data, ReadOnlySpan<int> rows, IReadOnlyList<double> weights)
    {
        double sum = 0;
        foreach (int row in rows) sum += weights[(int)data.Target(row)];
        Tensor targets = Tensor.Zeros([rows.Length, weights.Count], DType.Float32, Device.Cpu);
        Span<float> shares = targets.AsSpan<float>();
        for (int row = 0; row < rows.Length; row++)
        {
            int label = (int)data.Target(rows[row]);
            shares[(row * weights.Count) + label] = (float)(weights[label] / sum);
        }

        return targets;
    }
}
