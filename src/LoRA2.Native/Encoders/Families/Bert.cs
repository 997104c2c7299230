using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>BERT (arXiv 1810.04805).</summary>
public sealed record BertConfig : EncoderConfig
{
    internal static readonly LayerNames LayerNames = new()
    {
        Layer = "encoder.layer.#",
        Query = "attention.self.query",
        Key = "attention.self.key",
        Value = "attention.self.value",
        AttentionOutput = "attention.output.dense",
        AttentionNorm = "attention.output.LayerNorm",
        Intermediate = "intermediate.dense",
        Output = "output.dense",
        OutputNorm = "output.LayerNorm",
    };

    /// <summary>BERT-base's sizes.</summary>
    public BertConfig() => TypeVocabularySize = 2;

    /// <summary>How positions are known: one of <see cref="PositionKinds"/>.</summary>
    public string Positions { get; init; } = PositionKinds.Absolute;

    private bool IsAbsolute => Positions == PositionKinds.Absolute;

    /// <inheritdoc/>
    public override string ModelType => "bert";

    /// <inheritdoc/>
    public override string Title => "BERT";

    /// <inheritdoc/>
    public override string ClassName => "Bert";

    /// <inheritdoc/>
    public override string Prefix => "bert";

    /// <inheritdoc/>
    public override LayerNames Names => LayerNames;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        BertConfig config = ReadUsual(this, fields) with
        {
            TypeVocabularySize = fields.Int("type_vocab_size", TypeVocabularySize, 0),
            ClassifierDropout = fields.OptionalNumber("classifier_dropout", 0, 0.999),
            Positions = fields.OneOf("position_embedding_type", PositionKinds.Absolute, [PositionKinds.Absolute, PositionKinds.RelativeKey, PositionKinds.RelativeKeyQuery]),
        };
        fields.RequireNumber("embedding_size", config.HiddenSize);
        return config;
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source) => new(
        new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings", hasPositions: IsAbsolute),
        [.. LayerPaths.Select(path => new PostNormLayer(this, source, path, IsAbsolute ? new SelfAttention(this, source, path) : new RelativeKeyAttention(this, source, path)))]);

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(this, source, new("bert.embeddings.word_embeddings.weight", "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias", "cls"), HiddenActivation);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source) =>
        new FirstTokenHead(this, source, ["bert.pooler", "classifier"], "bert.pooler.dense", Activation.Tanh, firstDropout: 0, ClassifierDropout ?? HiddenDropout);
}
