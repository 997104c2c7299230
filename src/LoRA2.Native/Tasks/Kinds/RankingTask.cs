using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>
/// How well a document answers a query, both read together: a cross-encoder, whose one output orders what a search found (<see cref="TextReranker"/>). It learns from pairs with their relevance
/// or from rows with a right document and wrong ones, and is scored by the order of each query's documents.
/// </summary>
public sealed record RankingTask : TaskKind
{
    private const string BinaryName = "bce", SquaredName = "mse";

    /// <inheritdoc/>
    public override string Name => "ranking";

    /// <inheritdoc/>
    public override string Title => "how well a document answers a query";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.Rankings;

    /// <inheritdoc/>
    public override bool NamesOutputs => false;

    /// <inheritdoc/>
    public override IReadOnlyList<string> LabelColumns => ["relevance", "label", "score"];

    /// <summary>
    /// Whether the loss is the squared error of the output and the relevance, which may be any number of at least 0, rather than the binary cross-entropy of relevances from 0 to 1; null for what the
    /// training data's relevances allow, the latter where it can be.
    /// </summary>
    public bool? IsSquared { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<TaskOption> Options { get; } =
    [
        TaskOption.Choice<RankingTask>("loss", "ranking: of the output against the relevance [bce for relevances from 0 to 1, else mse]", (kind, text) => kind with { IsSquared = text == SquaredName }, BinaryName, SquaredName),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => [Metric.QueryDiscountedGain, Metric.QueryReciprocalRank, Metric.QueryAveragePrecision];

    /// <summary>A query, a document and its relevance a row; or a query, a right document and columns of wrong ones, whose names begin with "negative".</summary>
    public override Dataset Read(Table table, DatasetOptions options)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(options);
        Dataset read = new TextSetTable(table, options, 1).Read();
        if (read.Examples[0].Target is not null)
        {
            int bad = read.Examples.TakeWhile(example => example.Target >= 0).Count();
            return bad == read.Examples.Count ? read : throw new InputException($"{table.Path}, line {table.Rows[bad].Line}: the relevance {read.Examples[bad].Target} found, expected a number of at least 0.");
        }

        if (read.Examples[0].Negatives.Count > 0) return new Dataset(read.Name, Pairs(read.Examples), null) { Notes = read.Notes };
        return options.RequireLabels
            ? throw new InputException($"{table.Path}: the columns are {string.Join(", ", table.Columns)}, expected one with the relevance, {string.Join(" or ", LabelColumns)}, or columns of wrong documents, negative, negative_2, ….")
            : read;
    }

    /// <inheritdoc/>
    public override string? GroupOf(Example example)
    {
        ArgumentNullException.ThrowIfNull(example);
        return example.Text;
    }

    /// <inheritdoc/>
    public override TaskKind ForTraining(Dataset train)
    {
        ArgumentNullException.ThrowIfNull(train);
        return IsSquared is not null ? this : this with { IsSquared = train.Examples.Any(example => example.Target > 1) };
    }

    /// <inheritdoc/>
    public override void RequireTrainable(TokenizedDataset train, EncoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(config);
        if (config.Labels != 1) throw new InputException($"the model has {config.Labels} outputs; one was expected where documents are ranked");
        for (int i = 0; i < train.Count && IsSquared != true; i++)
        {
            if (train.Target(i) is not (>= 0 and <= 1)) throw new InputException($"{train.Name}: example {i + 1} has the relevance {train.Target(i)}; the loss {BinaryName} takes 0 to 1, and {SquaredName} any of at least 0");
        }
    }

    /// <inheritdoc/>
    public override TokenizedDataset Tokenize(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var tokenized = new TokenizedExamples(name, config);
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        int[] queries = new int[examples.Count];
        foreach ((int i, Example example) in examples.Index())
        {
            if (!known.TryGetValue(example.Text, out queries[i])) known[example.Text] = queries[i] = known.Count;
            bool isCut = tokenizer.EncodePair(example.Text, example.Pair, maxLength, tokenized.Ids, tokenized.TypeIds);
            tokenized.Close(isCut, example.Target is { } relevance ? [relevance] : null);
        }

        return new RankedDataset(tokenized, queries);
    }

    /// <summary>[batch] Float32 relevances.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        ArgumentNullException.ThrowIfNull(data);
        Tensor targets = Tensor.Empty([rows.Length], DType.Float32, Device.Cpu);
        for (int row = 0; row < rows.Length; row++) targets.AsSpan<float>()[row] = data.Target(rows[row]);
        return targets;
    }

    /// <summary>The mean over pairs of the binary cross-entropy or the squared error of the output [batch, 1].</summary>
    public override Tensor Loss(Tensor output, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(targets);
        Tensor logits = Ops.Reshape(output, targets.Shape.Extents);
        return IsSquared == true ? Ops.MeanSquaredError(logits, targets) : Ops.BinaryCrossEntropy(logits, targets);
    }

    /// <summary>Scores the order of each query's documents; a model of two classes, which was trained as a classifier, by how much likelier the second is.</summary>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames)
    {
        ArgumentNullException.ThrowIfNull(answers);
        RankedDataset ranked = data as RankedDataset ?? throw new ArgumentException($"{data?.Name} has no queries; the data of {Name} were expected", nameof(data));
        double[] relevance = [.. Enumerable.Range(0, data.Count).Select(i => (double)data.Target(i))];
        if (Array.TrueForAll(relevance, value => value == 0)) throw new InputException($"{data.Name}: no document is relevant to its query, expected one at least somewhere");
        return Evaluation.Of(metrics, Data.Predictions.OfRankings(new Rankings(ranked.Queries, Array.ConvertAll(answers, row => row.Length == 2 ? (double)row[1] - row[0] : row[0]), relevance)));
    }

    /// <summary>The output of each pair.</summary>
    public override float[] Predictions(float[][] answers) => Array.ConvertAll(answers, row => row[0]);

    /// <summary>The relevance: of the binary cross-entropy a probability.</summary>
    public override Prediction Interpret(float[] answer, IReadOnlyList<string>? labelNames, bool isCut)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return new(null, IsSquared == true ? answer[0] : 1 / (1 + Math.Exp(-answer[0])), null, isCut);
    }

    /// <inheritdoc/>
    public override TaskKind ReadSettings(ConfigFields fields, int labels)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return this with { IsSquared = fields.OneOf("loss", BinaryName, [BinaryName, SquaredName]) == SquaredName };
    }

    /// <inheritdoc/>
    public override void WriteSettings(Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (IsSquared is { } squared) json.WriteString("loss", squared ? SquaredName : BinaryName);
    }

    /// <summary>Each query with each of its documents once; one that is right in some row is right.</summary>
    private static List<Example> Pairs(IReadOnlyList<Example> rows)
    {
        var places = new Dictionary<(string Query, string Document), int>();
        var pairs = new List<Example>();
        foreach (Example row in rows)
        {
            foreach ((int i, string document) in row.Negatives.Prepend(row.Pair!).Index())
            {
                var pair = new Example(row.Text, document, i == 0 ? 1 : 0);
                if (places.TryAdd((row.Text, document), pairs.Count)) pairs.Add(pair);
                else if (i == 0) pairs[places[(row.Text, document)]] = pair;
            }
        }

        return pairs;
    }
}
