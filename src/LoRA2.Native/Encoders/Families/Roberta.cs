using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>
/// RoBERTa (arXiv 1907.11692): BERT's computation, but positions count the tokens that are not padding, from the padding id + 1, and the head has its own dense layer.
/// </summary>
public record RobertaConfig : EncoderConfig
{
    /// <summary>RoBERTa-base's sizes.</summary>
    public RobertaConfig()
    {
        VocabularySize = 50265;
        MaxPositions = 514;
        TypeVocabularySize = 1;
        PadTokenId = 1;
        LayerNormEpsilon = 1e-5;
    }

    /// <inheritdoc/>
    public override string ModelType => "roberta";

    /// <inheritdoc/>
    public override string Title => "RoBERTa";

    /// <inheritdoc/>
    public override string ClassName => "Roberta";

    /// <inheritdoc/>
    public override string Prefix => "roberta";

    /// <inheritdoc/>
    public override LayerNames Names => BertConfig.LayerNames;

    /// <inheritdoc/>
    public override string ClassifierName => "classifier.out_proj";

    /// <inheritdoc/>
    public override int LongestInput => MaxPositions - PadTokenId - 1;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        // What HuggingFace's class takes for a missing field differs from RoBERTa-base here.
        RobertaConfig config = ReadUsual(this with { MaxPositions = 512, LayerNormEpsilon = 1e-12 }, fields) with
        {
            TypeVocabularySize = fields.Int("type_vocab_size", 2, 0),
            ClassifierDropout = fields.OptionalNumber("classifier_dropout", 0, 0.999),
        };
        if (config.PadTokenId + 1 >= config.MaxPositions)
            throw fields.Error($"max_position_embeddings {config.MaxPositions} leaves no position after pad_token_id {config.PadTokenId}; {Title} counts from there");
        fields.OneOf("position_embedding_type", "absolute", ["absolute"]);
        fields.RequireNumber("embedding_size", config.HiddenSize);
        return config;
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source) => new(
        new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings", countsTokens: true),
        [.. LayerPaths.Select(path => new PostNormLayer(this, source, path, new SelfAttention(this, source, path)))]);

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(this, source, new($"{Prefix}.embeddings.word_embeddings.weight", "lm_head.dense", "lm_head.layer_norm", "lm_head.bias", "lm_head"), Activation.Gelu);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source)
    {
        double dropout = ClassifierDropout ?? HiddenDropout;
        return new FirstTokenHead(this, source, ["classifier"], "classifier.dense", Activation.Tanh, dropout, dropout);
    }
}
