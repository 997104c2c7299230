using System.Globalization;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>
/// A task of the GLUE benchmark in its original form: one TSV file a split, quotes plain characters, columns by name. The registry is
/// <see cref="All"/>. Label order is GLUE's own, https://gluebenchmark.com.
/// </summary>
public sealed class GlueTask
{
    private static readonly string[] ZeroOne = ["0", "1"];
    private static readonly string[] Entailment = ["entailment", "not_entailment"];
    private static readonly string[] CoLAColumns = ["source", "label", "mark", "sentence"];

    private static readonly Dictionary<string, string> OneFileEach = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = "train.tsv",
        ["dev"] = "dev.tsv",
        ["test"] = "test.tsv",
    };

    private GlueTask(string name, string text, string? pair, string label, IReadOnlyList<string>? labelNames, params Metric[] metrics)
    {
        Name = name;
        TextColumn = text;
        PairColumn = pair;
        LabelColumn = label;
        LabelNames = labelNames;
        Metrics = metrics;
        SubmissionFiles = new Dictionary<string, string> { ["test"] = $"{name}.tsv" };
    }

    /// <summary>The tasks: CoLA, SST-2, MRPC, STS-B, RTE, QQP, MNLI, QNLI.</summary>
    public static IReadOnlyList<GlueTask> All { get; } =
    [
        new("CoLA", "sentence", null, "label", ZeroOne, Metric.Matthews, Metric.Accuracy) { ColumnsWithoutHeader = CoLAColumns },
        new("SST-2", "sentence", null, "label", ZeroOne, Metric.Accuracy),
        new("MRPC", "#1 String", "#2 String", "Quality", ZeroOne, Metric.Accuracy, Metric.F1),
        new("STS-B", "sentence1", "sentence2", "score", null, Metric.Pearson, Metric.Spearman) { LowestScore = 0, HighestScore = 5 },
        new("RTE", "sentence1", "sentence2", "label", Entailment, Metric.Accuracy),
        // The distribution's train.tsv and dev.tsv have a few questions broken over lines; every known reader leaves those rows out.
        new("QQP", "question1", "question2", "is_duplicate", ZeroOne, Metric.Accuracy, Metric.F1) { SkipsBrokenRows = true, IndexColumn = "id" },
        new("MNLI", "sentence1", "sentence2", "gold_label", ["entailment", "neutral", "contradiction"], Metric.Accuracy)
        {
            // The annotators did not agree: there is no gold label.
            SkippedLabel = "-",
            Files = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
            {
                ["train"] = "train.tsv",
                ["dev"] = "dev_matched.tsv",
                ["dev_matched"] = "dev_matched.tsv",
                ["dev_mismatched"] = "dev_mismatched.tsv",
                ["test"] = "test_matched.tsv",
                ["test_matched"] = "test_matched.tsv",
                ["test_mismatched"] = "test_mismatched.tsv",
            },
            FurtherDevelopmentSplits = new Dictionary<string, string> { ["mismatched_"] = "dev_mismatched" },
            SubmissionFiles = new Dictionary<string, string> { ["test_matched"] = "MNLI-m.tsv", ["test_mismatched"] = "MNLI-mm.tsv" },
        },
        new("QNLI", "question", "sentence", "label", Entailment, Metric.Accuracy),
    ];

    /// <summary>The task's name, spelt as GLUE does.</summary>
    public string Name { get; }

    /// <summary>The column of the text, or of the first of a pair.</summary>
    public string TextColumn { get; }

    /// <summary>The column of the second text, or null.</summary>
    public string? PairColumn { get; }

    /// <summary>The column of the label or score; test splits may lack it.</summary>
    public string LabelColumn { get; }

    /// <summary>The classes' names by index; null for regression.</summary>
    public IReadOnlyList<string>? LabelNames { get; }

    /// <summary>Whether a score is predicted, not a class.</summary>
    public bool IsRegression => LabelNames is null;

    /// <summary>What the task is scored by, the primary metric first.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>The file of each split.</summary>
    public IReadOnlyDictionary<string, string> Files { get; private init; } = OneFileEach;

    /// <summary>
    /// Development sets that are scored besides dev, by the prefix of their metrics' names: MNLI's mismatched one, whose mismatched_accuracy is reported beside
    /// the accuracy on the matched one.
    /// </summary>
    public IReadOnlyDictionary<string, string> FurtherDevelopmentSplits { get; private init; } = new Dictionary<string, string>();

    /// <summary>The splits that GLUE's server scores, and the file that it expects the predictions of each in; see <see cref="GlueSubmission"/>.</summary>
    public IReadOnlyDictionary<string, string> SubmissionFiles { get; private init; }

    /// <summary>The bounds of a score; infinite where there are none.</summary>
    internal (float Lowest, float Highest) ScoreRange => (LowestScore, HighestScore);

    private string[]? ColumnsWithoutHeader { get; init; }

    private string IndexColumn { get; init; } = "index";

    private string? SkippedLabel { get; init; }

    private bool SkipsBrokenRows { get; init; }

    private float LowestScore { get; init; } = float.NegativeInfinity;

    private float HighestScore { get; init; } = float.PositiveInfinity;

    /// <summary>Finds a task by its name in any case, with or without dashes: sst2, SST-2, stsb.</summary>
    /// <returns>The task, or null when none has that name.</returns>
    public static GlueTask? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        static string Key(string s) => s.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        return All.FirstOrDefault(task => Key(task.Name).Equals(Key(name), StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The task of that name; see <see cref="Find"/>.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static GlueTask Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name)
        ?? throw new InputException($"task {Quote.Name(name)} is unknown, expected one of {string.Join(", ", All.Select(t => t.Name))}.");
    }

    /// <summary>Reads a split.</summary>
    /// <param name="folder">The task's folder, or the folder that holds it under the task's name.</param>
    /// <param name="split">A key of <see cref="Files"/>: train, dev, test; for MNLI also dev_mismatched, …</param>
    /// <exception cref="InputException">The split is unknown, the file is missing, empty or has a bad row.</exception>
    public Dataset Load(string folder, string split)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(split);
        if (!Files.TryGetValue(split, out string? file))
            throw new InputException($"{Name} has no split {Quote.Name(split)}, expected one of {string.Join(", ", Files.Keys)}.");
        string path = Path.Combine(folder, file), nested = Path.Combine(folder, Name, file);
        if (!File.Exists(path))
        {
            if (!File.Exists(nested))
                throw new InputException($"{path}: there is no such file (nor {nested}), expected the {split} split of {Name}.");
            path = nested;
        }
        return Read(path, split);
    }

    private Dataset Read(string path, string split)
    {
        List<(int Number, string Text)> lines = TextLines.Read(path);
        bool hasHeader = ColumnsWithoutHeader is null || (lines.Count > 0 && lines[0].Text.Split('\t').Contains(TextColumn));
        string[] columns = lines.Count == 0 ? [] : hasHeader ? lines[0].Text.Split('\t') : ColumnsWithoutHeader!;
        var examples = new List<Example>(lines.Count);
        int skipped = 0;
        int text = Array.IndexOf(columns, TextColumn), label = Array.IndexOf(columns, LabelColumn);
        int pair = PairColumn is null ? -1 : Array.IndexOf(columns, PairColumn);
        // Only a test split may come without labels, and only there rows are known by their index.
        bool isTest = split.StartsWith("test", StringComparison.OrdinalIgnoreCase);
        int index = isTest ? Array.IndexOf(columns, IndexColumn) : -1;
        List<string>? indices = index < 0 ? null : new(lines.Count);
        if (lines.Count > 0)
        {
            Require(path, columns, TextColumn, text);
            if (PairColumn is not null) Require(path, columns, PairColumn, pair);
            if (!isTest) Require(path, columns, LabelColumn, label);
        }
        foreach ((int number, string line) in lines.Skip(hasHeader ? 1 : 0))
        {
            if (line.Length == 0) continue;
            string[] fields = line.Split('\t');
            if (fields.Length != columns.Length)
            {
                if (!SkipsBrokenRows)
                    throw new InputException($"{path}, line {number}: {Table.FieldCount(fields.Length)} found, {columns.Length} expected.");
                skipped++;
                continue;
            }
            if (label >= 0 && fields[label] == SkippedLabel)
            {
                skipped++;
                continue;
            }
            float? target = label < 0 ? null : IsRegression ? Score(path, number, fields[label]) : ClassOf(path, number, fields[label]);
            examples.Add(new Example(fields[text], pair < 0 ? null : fields[pair], target));
            indices?.Add(fields[index]);
        }
        if (examples.Count == 0) throw new InputException($"{path}: no examples found, expected at least one row.");
        return new Dataset($"{Name} {split.ToLowerInvariant()}", examples, LabelNames, skipped) { Indices = indices };
    }

    private static void Require(string path, string[] columns, string name, int index)
    {
        if (index >= 0) return;
        throw new InputException(
            $"{path}, line 1: no column {Quote.Name(name)} found in the header, expected it among {string.Join(", ", columns)}.");
    }

    private int ClassOf(string path, int line, string label)
    {
        for (int i = 0; i < LabelNames!.Count; i++)
        {
            if (LabelNames[i] == label) return i;
        }
        throw new InputException($"{path}, line {line}: label {Quote.Name(label)} found, expected one of {string.Join(", ", LabelNames)}.");
    }

    private float Score(string path, int line, string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float score)
        && score >= LowestScore && score <= HighestScore
            ? score
            : throw new InputException(
                $"{path}, line {line}: score {Quote.Name(text)} found, expected a number from {LowestScore} to {HighestScore}.");
}
