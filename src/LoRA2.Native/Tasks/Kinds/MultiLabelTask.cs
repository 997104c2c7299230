using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Labels;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>
/// Any number of labels a text or pair, none too: the binary cross-entropy of every label by itself, as HuggingFace's <c>multi_label_classification</c>. A label is predicted when its
/// probability reaches its threshold.
/// </summary>
public sealed record MultiLabelTask : TaskKind
{
    /// <summary>What reaches the usual threshold is more likely than not.</summary>
    public const double UsualThreshold = 0.5;

    /// <inheritdoc/>
    public override string Name => "multi-label";

    /// <inheritdoc/>
    public override string Title => "any number of labels a text";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.LabelSets;

    /// <inheritdoc/>
    public override string ProblemType => "multi_label_classification";

    /// <inheritdoc/>
    public override IReadOnlyList<string> LabelColumns => ["labels", "label"];

    /// <summary>The least probability of each label, in the labels' order; null for <see cref="UsualThreshold"/> of all.</summary>
    public IReadOnlyList<double>? Thresholds { get; init; }

    /// <summary>Whether each label's threshold is to be the one of the best F1 on held-out training data.</summary>
    public bool TunesThresholds { get; init; }

    /// <inheritdoc/>
    public override bool MapsLabels => true;

    /// <summary>What is asked of the labels' weights; <see cref="ForTraining"/> makes <see cref="ClassWeights"/> of it.</summary>
    public ClassWeights? Weighting { get; init; }

    /// <summary>How much a text that has a label counts in the label's loss, for each label in their order; one that has it not counts 1. Null where all count alike.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <inheritdoc/>
    public override TaskKind ForTraining(Dataset train)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (Weighting is null) return this;
        IReadOnlyList<string> names = train.LabelNames ?? throw new InputException($"{train.Name} has no labels, expected some where labels have weights");
        return this with { ClassWeights = Weighting.For(names, () => Balanced(train, names.Count)) };
    }

    /// <inheritdoc/>
    public override void RequireTrainable(TokenizedDataset train, EncoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (Weighting is not null && ClassWeights is null) throw new InputException($"{train.Name}: weights of classes were asked for and not made; {nameof(ForTraining)} makes them of the training data");
    }

    /// <inheritdoc/>
    public override bool HoldsOut => TunesThresholds;

    /// <inheritdoc/>
    public override IReadOnlyList<TaskOption> Options { get; } =
    [
        TaskOption.Choice<MultiLabelTask>(
            "thresholds", "multi-label: from which probability on a label is predicted; tuned is each label's best F1 on a tenth of the training data, which is then not trained on [0.5]",
            (kind, text) => kind with { TunesThresholds = text == "tuned" }, "0.5", "tuned"),
        ClassWeightSettings.Option<MultiLabelTask>((kind, weights) => kind with { Weighting = weights }),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => [Metric.MicroF1, Metric.MacroF1, Metric.AveragePrecision, Metric.ExactMatch];

    /// <summary>A list of labels in every row, as JSON, as Python writes it or with a separator; a list of 0 and 1 for each label, as long in every row; or a column of 0 and 1 for each label.</summary>
    public override Dataset Read(Table table, DatasetOptions options)
    {
        var texts = new LabelledTable(table, options, LabelColumns);
        if (texts.LabelColumn is not { } column) return texts.Dataset(null, row => texts.Example(row));
        if (texts.Columns.Count > 1)
        {
            if (options.LabelMap is not null) throw new InputException($"{table.Path}: a label map is for lists of labels; a column for each label has its name already.");
            string[] columns = [.. texts.Columns.Select(place => table.Columns[place])];
            texts.RequireNames(columns, options.LabelNames);
            return texts.Dataset(columns, row => texts.Example(row) with { Targets = [.. texts.Columns.Select(place => ZeroOrOne(texts, row, place))] });
        }

        var lists = new LabelLists(texts, options);
        IReadOnlyList<string> names = texts.Names(() => lists.Found);
        if (names.Count == 0) throw new InputException($"{table.Path}: no row has a label, expected one at least somewhere.");
        return lists.Dataset(names, options.LabelMap is not null);
    }

    /// <summary>[batch, labels] Float32 of 0 and 1; with weights of labels [2, batch, labels], those and then how much each counts.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        int width = data.TargetsOf(rows[0]).Length;
        Tensor targets = Tensor.Empty(ClassWeights is null ? [rows.Length, width] : [2, rows.Length, width], DType.Float32, Device.Cpu);
        Span<float> values = targets.AsSpan<float>();
        for (int row = 0; row < rows.Length; row++) data.TargetsOf(rows[row]).CopyTo(values[(row * width)..]);
        if (ClassWeights is not { } weights) return targets;
        int count = rows.Length * width;
        for (int i = 0; i < count; i++) values[count + i] = values[i] > 0 ? (float)weights[i % width] : 1;
        return targets;
    }

    /// <summary>
    /// The mean binary cross-entropy over texts and labels; with weights of labels that of PyTorch's <c>binary_cross_entropy_with_logits</c> with <c>pos_weight</c>, which is computed on the CPU only.
    /// </summary>
    public override Tensor Loss(Tensor output, Tensor targets)
    {
        if (targets.Shape.Rank == 2) return Ops.BinaryCrossEntropy(output, targets);
        ClassWeightSettings.RequireCpu(output);
        using var scope = new Tensors.Memory.TensorScope();
        Tensor Part(int part) => Ops.Reshape(Ops.Slice(targets, 0, part, 1), output.Shape.Extents);
        return scope.Keep(Ops.BinaryCrossEntropyWithLogits(output, Part(0), weight: Part(1)));
    }

    /// <inheritdoc/>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames) => Evaluation.Of(metrics, Compared(answers, data));

    /// <summary>The logits of every label, one example's after the other's.</summary>
    public override float[] Predictions(float[][] answers) => [.. answers.SelectMany(row => row)];

    /// <inheritdoc/>
    public override Prediction Interpret(float[] answer, IReadOnlyList<string>? labelNames, bool isCut)
    {
        double[] probabilities = Array.ConvertAll(answer, Sigmoid);
        IReadOnlyList<string> names = labelNames ?? [.. Enumerable.Range(0, answer.Length).Select(i => $"LABEL_{i}")];
        return new Prediction(null, probabilities.Max(), probabilities, isCut) { Labels = [.. names.Where((_, i) => probabilities[i] >= ThresholdOf(i))] };
    }

    /// <summary>The thresholds of each label's best F1; of equal ones the nearest to a half, and a half for a label that the held-out texts never have.</summary>
    public override TaskKind Fitted(float[][] answers, TokenizedDataset heldOut)
    {
        if (!TunesThresholds) return this;
        double[] thresholds = [.. Enumerable.Range(0, answers[0].Length).Select(label => Best([.. answers.Select((row, i) => (Sigmoid(row[label]), heldOut.TargetsOf(i)[label] > 0))]))];
        return this with { Thresholds = thresholds };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<LabelScore> ByLabel(IReadOnlyList<float> predictions, TokenizedDataset development, IReadOnlyList<string> labelNames)
    {
        int labels = labelNames.Count;
        float[][] answers = [.. Enumerable.Range(0, development.Count).Select(i => Enumerable.Range(i * labels, labels).Select(place => predictions[place]).ToArray())];
        LabelSets sets = Compared(answers, development).Sets;
        return [.. labelNames.Select((name, label) => new LabelScore(name, sets.Actual(label), sets.Predicted(label), sets.Right(label)))];
    }

    /// <summary>The micro F1 of always answering the most frequent label.</summary>
    public override (string Label, string Metric, double Value)? Baseline(Dataset development, IReadOnlyList<string>? labelNames)
    {
        int[] counts = new int[labelNames!.Count];
        foreach (Example example in development.Examples)
        {
            for (int label = 0; label < counts.Length; label++) counts[label] += example.Targets![label] > 0 ? 1 : 0;
        }

        int most = Array.IndexOf(counts, counts.Max());
        return (labelNames[most], Metric.MicroF1.Name, 2.0 * counts[most] / (counts.Sum() + development.Examples.Count));
    }

    /// <inheritdoc/>
    public override TaskKind ReadSettings(ConfigFields fields, int labels)
    {
        IReadOnlyList<double> thresholds = fields.NumberList("thresholds", 0, 1);
        MultiLabelTask read = this with { ClassWeights = ClassWeightSettings.Read(fields, labels) };
        if (thresholds.Count == 0) return read;
        return thresholds.Count == labels ? read with { Thresholds = thresholds } : throw fields.Error($"thresholds has {thresholds.Count} entries; one for each of {labels} labels was expected");
    }

    /// <inheritdoc/>
    public override void WriteSettings(Utf8JsonWriter json)
    {
        ClassWeightSettings.Write(json, ClassWeights);
        if (Thresholds is null) return;
        json.WriteStartArray("thresholds");
        foreach (double threshold in Thresholds) json.WriteNumberValue(threshold);
        json.WriteEndArray();
    }

    private static double[] Balanced(Dataset train, int labels)
    {
        int[] with = new int[labels];
        foreach (Example example in train.Examples)
        {
            for (int label = 0; label < labels; label++) with[label] += example.Targets![label] > 0 ? 1 : 0;
        }

        int all = train.Examples.Count;
        return Array.ConvertAll(with, count => count == 0 || count == all ? 1 : (all - count) / (double)count);
    }

    private static double Sigmoid(float logit) => 1 / (1 + Math.Exp(-logit));

    private static float ZeroOrOne(LabelledTable texts, TableRow row, int column)
    {
        string label = texts.Label(row, column);
        return LabelLists.BitOf(label) ?? throw texts.Error(row, $"{Quote.Name(label.Trim())} found in column {Quote.Name(texts.Table.Columns[column])}, expected 0 or 1");
    }

    /// <summary>A threshold between two probabilities that follow each other: the texts that reach it, and no others.</summary>
    private static double Best((double Probability, bool IsTrue)[] texts)
    {
        Array.Sort(texts, (one, other) => other.Probability.CompareTo(one.Probability));
        int total = texts.Count(text => text.IsTrue), right = 0;
        if (total == 0) return UsualThreshold;
        (double f1, double threshold) best = (-1, UsualThreshold);
        for (int i = 0; i < texts.Length; i++)
        {
            if (texts[i].IsTrue) right++;
            double next = i + 1 < texts.Length ? texts[i + 1].Probability : 0;
            if (next == texts[i].Probability) continue;
            double f1 = 2.0 * right / (i + 1 + total), threshold = (texts[i].Probability + next) / 2;
            if (texts[i].Probability >= UsualThreshold && next < UsualThreshold) threshold = UsualThreshold;
            if (f1 > best.f1 || (f1 == best.f1 && Math.Abs(threshold - UsualThreshold) < Math.Abs(best.threshold - UsualThreshold))) best = (f1, threshold);
        }

        return best.threshold;
    }

    private double ThresholdOf(int label) => Thresholds?[label] ?? UsualThreshold;

    private Predictions Compared(float[][] answers, TokenizedDataset data) => Data.Predictions.OfLabelSets(new LabelSets(
        Array.ConvertAll(answers, row => Array.ConvertAll(row, Sigmoid)),
        [.. Enumerable.Range(0, answers.Length).Select(i => data.TargetsOf(i).ToArray().Select(target => target > 0).ToArray())],
        [.. Enumerable.Range(0, answers.Length == 0 ? 0 : answers[0].Length).Select(ThresholdOf)]));
}
