using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Embeddings.Losses;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>
/// A vector a text, learned from pairs that belong together, from triplets and longer rows with texts that do not, or from pairs with a score. Development data with scores are evaluated by
/// the correlation of cosines and scores; others by how well each first text finds its own second one among all the data's texts.
/// </summary>
public sealed record EmbeddingsTask : TaskKind
{
    /// <inheritdoc/>
    public override string Name => "embeddings";

    /// <inheritdoc/>
    public override string Title => "a vector a text, from pairs, triplets or scored pairs";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.Scores;

    /// <inheritdoc/>
    public override bool NamesOutputs => false;

    /// <inheritdoc/>
    public override string ClassEnding => "Model";

    /// <inheritdoc/>
    public override string PeftTaskType => "FEATURE_EXTRACTION";

    /// <inheritdoc/>
    public override bool IsBareEncoder => true;

    /// <inheritdoc/>
    public override IReadOnlyList<TaskOption> Options => EmbeddingsTaskOptions.All;

    /// <inheritdoc/>
    public override int? UsualLength => Settings.MaxLength;

    /// <summary>How a text becomes a vector.</summary>
    public EmbeddingSettings Settings { get; init; } = new();

    /// <summary>Pooling that was asked for, above the model's folder; null for none.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>Whether vectors are to have the length 1, above the model's folder; null for what it says.</summary>
    public bool? Normalises { get; init; }

    /// <summary>Dimensions of a vector; null for all.</summary>
    public int? Dimensions { get; init; }

    /// <summary>The loss's name; null for ranking, or CoSENT where pairs have scores.</summary>
    public string? LossName { get; init; }

    /// <summary>Factor of the similarities in the losses that have one; null for theirs.</summary>
    public double? LossScale { get; init; }

    /// <summary>Margin of the losses that have one; null for theirs.</summary>
    public double? Margin { get; init; }

    /// <summary>Numbers of dimensions that the loss is summed over; none for all of them alone.</summary>
    public IReadOnlyList<int> Matryoshka { get; init; } = [];

    /// <summary>What scores are divided by.</summary>
    public double ScoreScale { get; init; } = 1;

    /// <summary>The loss for data with or without scores.</summary>
    public EmbeddingLoss LossFor(bool hasScores)
    {
        EmbeddingLoss loss = LossName is { } name ? EmbeddingLosses.Named(name) : hasScores ? new CoSENTLoss() : new MultipleNegativesRankingLoss();
        loss = loss switch
        {
            MultipleNegativesRankingLoss ranking => ranking with { Scale = LossScale ?? ranking.Scale },
            CoSENTLoss cosent => cosent with { Scale = LossScale ?? cosent.Scale },
            TripletLoss triplet => triplet with { Margin = Margin ?? triplet.Margin },
            ContrastiveLoss contrastive => contrastive with { Margin = Margin ?? contrastive.Margin },
            OnlineContrastiveLoss online => online with { Margin = Margin ?? online.Margin },
            _ => loss,
        };
        return Matryoshka.Count == 0 ? loss : new MatryoshkaLoss(loss, Matryoshka);
    }

    /// <inheritdoc/>
    public override TaskKind ForModel(string folder, int? maxLength)
    {
        SentenceFolder read = SentenceFolder.Read(folder);
        if (read.Transformer != folder && Path.GetFullPath(read.Transformer) != Path.GetFullPath(folder))
            throw new InputException($"{Path.Combine(folder, SentenceFolder.ModulesFile)}: the encoder is in a folder of its own, {read.Transformer}; name that as the model");
        return With(read, maxLength);
    }

    /// <summary>This kind with what a sentence-transformers folder says, as far as nothing else was asked for.</summary>
    internal EmbeddingsTask With(SentenceFolder read, int? maxLength) => this with
    {
        Settings = read.Settings with
        {
            Pooling = Pooling ?? read.Settings.Pooling,
            Normalises = Normalises ?? read.Settings.Normalises,
            MaxLength = maxLength ?? read.Settings.MaxLength,
        },
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => [Metric.Spearman, Metric.Pearson];

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsOf(Dataset data) =>
        data.Examples[0].Target is not null ? MetricsFor(1) : [Metric.ReciprocalRank, Metric.DiscountedGain, Metric.RecallAt1, Metric.RecallAt10];

    /// <inheritdoc/>
    public override Dataset Read(Table table, DatasetOptions options) => new TextSetTable(table, options, ScoreScale).Read();

    /// <inheritdoc/>
    public override TokenizedDataset Tokenize(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength) =>
        TokenizedTextSets.Of(name, examples, tokenizer, config, Settings, maxLength);

    /// <inheritdoc/>
    public override void RequireTrainable(TokenizedDataset train, EncoderConfig config)
    {
        TokenizedTextSets sets = Sets(train);
        EmbeddingLoss loss = LossFor(sets.HasScores);
        if (loss.NeedsScores != sets.HasScores)
            throw new InputException(sets.HasScores ? $"{train.Name}: the pairs have scores, for which the loss {loss} has no use; {Names(other => other.NeedsScores)} have" : $"{train.Name}: the loss {loss} needs a score for each pair; there is no column of them");
        if (sets.Texts < loss.LeastTexts || sets.Texts > loss.MostTexts)
            throw new InputException($"{train.Name}: an example has {sets.Texts} texts; the loss {loss} takes {(loss.MostTexts == int.MaxValue ? $"at least {loss.LeastTexts}" : $"{loss.MostTexts}")}");
        if (Matryoshka.FirstOrDefault(count => count > config.HiddenSize) is > 0 and var beyond) throw new InputException($"--matryoshka has {beyond} dimensions; the model's vectors have {config.HiddenSize}");
        if (!loss.NeedsScores) return;
        for (int i = 0; i < train.Count; i++)
        {
            float score = train.Target(i);
            if (loss.IsBinary && score is not (0 or 1)) throw new InputException($"{train.Name}: example {i + 1} has the score {score}; the loss {loss} takes 0 and 1");
            if (loss is CosineSimilarityLoss && Math.Abs(score) > 1) throw new InputException($"{train.Name}: example {i + 1} has the score {score}; the loss {loss} compares with cosines, from -1 to 1: --score-scale divides");
        }
    }

    /// <summary>Pooling, without weights.</summary>
    public override EncoderHead CreateHead(EncoderConfig config, ParameterSource source) => new PoolingHead(config, Settings, Dimensions);

    /// <inheritdoc/>
    public override EncoderBatch Inputs(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw) => data is TokenizedTextSets sets ? sets.Columns(rows) : data.Batch(rows);

    /// <inheritdoc/>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        TokenizedTextSets sets = Sets(data);
        Span<float> scores = new float[rows.Length];
        for (int i = 0; i < rows.Length; i++) scores[i] = data.Target(rows[i]);
        return LossFor(sets.HasScores).Targets(scores, rows.Length);
    }

    /// <summary>The loss of vectors [texts · examples, width]; only a loss that needs scores has targets that are not whole numbers.</summary>
    public override Tensor Loss(Tensor output, Tensor targets)
    {
        EmbeddingLoss loss = LossFor(targets.DType != DType.Int32);
        if (loss.ReadsValues && output.Device != Tensors.Devices.Device.Cpu) throw new InputException($"the loss {loss} chooses among examples by what is computed of them, and runs on the CPU only");
        int examples = targets.Shape[0], texts = output.Shape[0] / examples;
        return loss.Of([.. Enumerable.Range(0, texts).Select(text => Ops.Slice(output, 0, text * examples, examples))], targets);
    }

    /// <summary>The vectors of examples of several texts, one after the other.</summary>
    public override void Keep(Tensor output, TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, float[][] answers)
    {
        int texts = data is TokenizedTextSets sets ? sets.Texts : 1, width = output.Shape[1];
        ReadOnlySpan<float> values = output.AsSpan<float>();
        for (int row = 0; row < rows.Length; row++)
        {
            float[] answer = new float[texts * width];
            for (int text = 0; text < texts; text++) values.Slice(((text * rows.Length) + row) * width, width).CopyTo(answer.AsSpan(text * width));
            answers[rows[row]] = answer;
        }
    }

    /// <inheritdoc/>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames)
    {
        TokenizedTextSets sets = Sets(data);
        bool ranks = metrics[0] == Metric.ReciprocalRank;
        if (ranks == sets.HasScores) throw new InputException($"{data.Name}: {(ranks ? "the pairs have scores" : "the pairs have no scores")}; the metric {metrics[0]} needs data {(ranks ? "without" : "with")} them");
        double[] predicted = ranks ? VectorRanks.Of(answers, sets) : VectorRanks.Cosines(answers, sets.Texts);
        return Evaluation.Of(metrics, Data.Predictions.OfScores(predicted, [.. Enumerable.Range(0, data.Count).Select(i => ranks ? 1.0 : data.Target(i))]));
    }

    /// <summary>The cosine of each example's first two texts.</summary>
    public override float[] Predictions(float[][] answers) => answers.Length == 0 ? [] : Array.ConvertAll(VectorRanks.Cosines(answers, null), cosine => (float)cosine);

    /// <inheritdoc/>
    public override Prediction Interpret(float[] answer, IReadOnlyList<string>? labelNames, bool isCut) => throw new InputException("the model makes vectors of texts and says nothing of them; lora2 embed writes the vectors");

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, byte[]> FilesBeside(string folder, EncoderConfig config) => SentenceFolder.Write(folder, Settings, config.HiddenSize);

    /// <inheritdoc/>
    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteString("pooling", PoolingNames.NameOf(Settings.Pooling));
        json.WriteBoolean("normalised", Settings.Normalises);
        if (LossName is not null) json.WriteString("loss", LossName);
        if (LossScale is { } scale) json.WriteNumber("loss_scale", scale);
        if (Margin is { } margin) json.WriteNumber("margin", margin);
        if (ScoreScale != 1) json.WriteNumber("score_scale", ScoreScale);
        if (Matryoshka.Count == 0) return;
        json.WriteStartArray("matryoshka");
        foreach (int count in Matryoshka) json.WriteNumberValue(count);
        json.WriteEndArray();
    }

    private static string Names(Func<EmbeddingLoss, bool> which) => string.Join(", ", EmbeddingLosses.All.Where(which));

    private static TokenizedTextSets Sets(TokenizedDataset data) => data as TokenizedTextSets ?? throw new ArgumentException($"{data.Name} has single texts; sets of texts were expected", nameof(data));
}
