using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>MPNet (arXiv 2004.09297): RoBERTa without segments, with a bias of relative positions in every layer's attention.</summary>
public sealed record MPNetConfig : EncoderConfig
{
    private static readonly LayerNames LayerNames = new()
    {
        Layer = "encoder.layer.#",
        Query = "attention.attn.q",
        Key = "attention.attn.k",
        Value = "attention.attn.v",
        AttentionOutput = "attention.attn.o",
        AttentionNorm = "attention.LayerNorm",
        Intermediate = "intermediate.dense",
        Output = "output.dense",
        OutputNorm = "output.LayerNorm",
    };

    /// <summary>mpnet-base's sizes.</summary>
    public MPNetConfig()
    {
        VocabularySize = 30527;
        MaxPositions = 514;
        PadTokenId = 1;
        LayerNormEpsilon = 1e-5;
    }

    /// <inheritdoc/>
    public override string ModelType => "mpnet";

    /// <inheritdoc/>
    public override string Title => "MPNet";

    /// <inheritdoc/>
    public override string ClassName => "MPNet";

    /// <inheritdoc/>
    public override string Prefix => "mpnet";

    /// <inheritdoc/>
    public override LayerNames Names => LayerNames;

    /// <inheritdoc/>
    public override string ClassifierName => "classifier.out_proj";

    /// <inheritdoc/>
    public override int LongestInput => MaxPositions - PadTokenId - 1;

    /// <summary>Rows of the table of relative positions (relative_attention_num_buckets), of which 32 are used.</summary>
    public int RelativeBuckets { get; init; } = BucketedBias.Buckets;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        // HuggingFace's class has the padding id built in.
        fields.RequireNumber("pad_token_id", 1);
        MPNetConfig config = ReadUsual(this with { MaxPositions = 512, LayerNormEpsilon = 1e-12 }, fields) with
        {
            RelativeBuckets = fields.Int("relative_attention_num_buckets", BucketedBias.Buckets, BucketedBias.Buckets),
            ClassifierDropout = fields.OptionalNumber("classifier_dropout", 0, 0.999),
        };
        if (config.PadTokenId + 1 >= config.MaxPositions)
            throw fields.Error($"max_position_embeddings {config.MaxPositions} leaves no position after pad_token_id {config.PadTokenId}; {Title} counts from there");
        return config;
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source)
    {
        var embeddings = new AbsoluteEmbeddings(this, source, $"{Prefix}.embeddings", countsTokens: true);
        PostNormLayer[] layers = [.. LayerPaths.Select(path => new PostNormLayer(this, source, path, new BiasedAttention(this, source, path)))];
        return new Encoder(embeddings, layers, new BucketedBias(source, $"{Prefix}.encoder.relative_attention_bias", RelativeBuckets, Heads));
    }

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
