using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Families;

/// <summary>
/// DeBERTa-v3 (arXiv 2111.09543), which HuggingFace calls deberta-v2, and DeBERTa-v2 itself (arXiv 2006.03654) with its convolution beside the first layer and other switches. The
/// values that a new one starts with are v3's.
/// </summary>
public sealed record DebertaV2Config : EncoderConfig
{
    private static readonly LayerNames LayerNames = BertConfig.LayerNames with
    {
        Query = "attention.self.query_proj",
        Key = "attention.self.key_proj",
        Value = "attention.self.value_proj",
    };

    /// <summary>DeBERTa-v3-base's sizes.</summary>
    public DebertaV2Config()
    {
        VocabularySize = 128100;
        LayerNormEpsilon = 1e-7;
    }

    /// <inheritdoc/>
    public override string ModelType => "deberta-v2";

    /// <inheritdoc/>
    public override string Title => ConvolutionKernel > 0 ? "DeBERTa-v2" : "DeBERTa-v3";

    /// <inheritdoc/>
    public override string ClassName => "DebertaV2";

    /// <inheritdoc/>
    public override string Prefix => "deberta";

    /// <inheritdoc/>
    public override LayerNames Names => LayerNames;

    /// <inheritdoc/>
    public override int LongestInput => PositionBiasedInput ? MaxPositions : int.MaxValue;

    /// <inheritdoc/>
    public override bool DropsAxisOfRegression => true;

    /// <summary>max_relative_positions; below 1: <see cref="EncoderConfig.MaxPositions"/>.</summary>
    public int MaxRelativePositions { get; init; } = -1;

    /// <summary>position_buckets; below 1: none.</summary>
    public int PositionBuckets { get; init; } = 256;

    /// <summary>Whether a content's score depends on the other's position (c2p).</summary>
    public bool ContentToPosition { get; init; } = true;

    /// <summary>Whether a position's score depends on the other's content (p2c).</summary>
    public bool PositionToContent { get; init; } = true;

    /// <summary>Whether the relative embeddings are layer-normalised (norm_rel_ebd).</summary>
    public bool NormaliseRelativeEmbeddings { get; init; } = true;

    /// <summary>Whether positions have projections that are those of contents (share_att_key).</summary>
    public bool SharesKeys { get; init; } = true;

    /// <summary>Whether absolute positions are added to the words (position_biased_input).</summary>
    public bool PositionBiasedInput { get; init; }

    /// <summary>Width of the embeddings; 0: that of the hidden states.</summary>
    public int EmbeddingSize
    {
        get => field == 0 ? HiddenSize : field;
        init;
    }

    /// <summary>Tokens that the convolution sees, an odd number; 0 for none.</summary>
    public int ConvolutionKernel { get; init; }

    /// <summary>Groups of channels that the convolution keeps apart.</summary>
    public int ConvolutionGroups { get; init; } = 1;

    /// <summary>Activation of the convolution.</summary>
    public Activation ConvolutionActivation { get; init; } = Activation.Tanh;

    /// <summary>Dropout before the pooler.</summary>
    public double PoolerDropout { get; init; }

    /// <summary>Whether the head of masked language modelling is Microsoft's (legacy = false), not the one that transformers first had.</summary>
    public bool IsNewMaskedHead { get; init; }

    /// <summary>Activation of the pooler.</summary>
    public Activation PoolerActivation { get; init; } = Activation.Gelu;

    /// <summary>Distances that the relative embeddings tell apart, in each direction, before buckets.</summary>
    internal int Reach => MaxRelativePositions < 1 ? MaxPositions : MaxRelativePositions;

    /// <inheritdoc/>
    public override EncoderConfig Read(ConfigFields fields)
    {
        DebertaV2Config config = ReadUsual(this, fields);
        fields.Require("relative_attention", true, fallback: false);
        fields.RequireNumber("pooler_hidden_size", config.HiddenSize);
        fields.RequireNumber("attention_head_size", config.HiddenSize / config.Heads);
        fields.Require("talking_head", false);
        string[] kinds = fields.Strings("pos_att_type", '|');
        foreach (string kind in kinds)
        {
            if (kind is not ("c2p" or "p2c")) throw fields.Error($"pos_att_type '{kind}' is not supported; c2p and p2c are");
        }

        config = config with
        {
            MaxRelativePositions = fields.Int("max_relative_positions", -1, -1),
            TypeVocabularySize = fields.Int("type_vocab_size", 0, 0),
            EmbeddingSize = fields.Int("embedding_size", config.HiddenSize, 1),
            SharesKeys = fields.Bool("share_att_key", false),
            PositionBiasedInput = fields.Bool("position_biased_input", true),
            IsNewMaskedHead = !fields.Bool("legacy", true),
            ConvolutionKernel = fields.Int("conv_kernel_size", 0, 0, 99),
            ConvolutionGroups = fields.Int("conv_groups", 1, 1),
            ConvolutionActivation = ActivationNames.Read(fields, "conv_act", Activation.Tanh),
            PositionBuckets = fields.Int("position_buckets", -1, -1),
            ContentToPosition = kinds.Contains("c2p"),
            PositionToContent = kinds.Contains("p2c"),
            NormaliseRelativeEmbeddings = fields.OneOf("norm_rel_ebd", "none", ["none", "layer_norm"]) == "layer_norm",
            ClassifierDropout = fields.OptionalNumber("cls_dropout", 0, 0.999),
            PoolerDropout = fields.Number("pooler_dropout", 0, 0, 0.999),
            PoolerActivation = ActivationNames.Read(fields, "pooler_hidden_act", Activation.Gelu),
        };
        if (config.ConvolutionKernel > 0 && config.ConvolutionKernel % 2 == 0) throw fields.Error($"conv_kernel_size {config.ConvolutionKernel} is even; an odd number of tokens was expected");
        if (config.HiddenSize % config.ConvolutionGroups != 0) throw fields.Error($"hidden_size {config.HiddenSize} is not a multiple of conv_groups {config.ConvolutionGroups}");
        // The logarithmic part runs from half the buckets to the largest distance, reach − 1.
        int buckets = config.PositionBuckets;
        if (buckets == 1 || (buckets > 1 && config.Reach - 1 <= buckets / 2))
            throw fields.Error($"position_buckets {buckets} can't divide {config.Reach} relative positions; at least 2 and less than twice the positions was expected");
        fields.RequireMatrix("twice the number of relative positions", 2L * (buckets > 0 ? buckets : config.Reach), config.HiddenSize);
        return config;
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ParameterSource source)
    {
        var embeddings = new DebertaEmbeddings(this, source, $"{Prefix}.embeddings");
        IEncoderLayer[] layers = [.. LayerPaths.Select(path => new PostNormLayer(this, source, path, new DisentangledAttention(this, source, path)))];
        if (ConvolutionKernel > 0) layers[0] = new ConvolvedLayer(this, source, $"{Prefix}.encoder.conv", layers[0]);
        return new Encoder(embeddings, layers, new RelativeEmbeddings(this, source, $"{Prefix}.encoder"));
    }

    /// <inheritdoc/>
    public override EncoderHead CreateMaskedHead(ParameterSource source) =>
        new MaskedHead(
            this, source,
            // Microsoft's checkpoints have the newer head, whatever their config says; transformers wrote the older one for years.
            IsNewMaskedHead || source.Has("lm_predictions.lm_head.dense.weight")
                ? new($"{Prefix}.embeddings.word_embeddings.weight", "lm_predictions.lm_head.dense", "lm_predictions.lm_head.LayerNorm", "lm_predictions.lm_head.bias", "lm_predictions")
                : new($"{Prefix}.embeddings.word_embeddings.weight", "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias", "cls"),
            HiddenActivation);

    /// <inheritdoc/>
    public override EncoderHead CreateHead(ParameterSource source) =>
        new FirstTokenHead(this, source, ["pooler", "classifier"], "pooler.dense", PoolerActivation, PoolerDropout, ClassifierDropout ?? HiddenDropout);

    /// <inheritdoc/>
    public override EncoderHead CreateTokenHead(ParameterSource source) => new TokenHead(this, source, HiddenDropout);
}
