namespace LoRA2.Native.Encoders;

/// <summary>The architectures that are implemented.</summary>
public enum EncoderFamily
{
    /// <summary>BERT (arXiv 1810.04805).</summary>
    Bert,

    /// <summary>RoBERTa (arXiv 1907.11692).</summary>
    Roberta,

    /// <summary>DeBERTa-v3 (arXiv 2111.09543), which HuggingFace calls deberta-v2.</summary>
    DebertaV3,
}

/// <summary>What a HuggingFace <c>config.json</c> says about an encoder. Made by <see cref="EncoderConfigReader"/> or by hand.</summary>
public sealed record EncoderConfig
{
    /// <summary>The architecture.</summary>
    public required EncoderFamily Family { get; init; }

    /// <summary>Rows of the word embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Width inside the feed-forward.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Activation of the feed-forward.</summary>
    public string HiddenActivation { get; init; } = "gelu";

    /// <summary>Added to the variance in layer normalisation.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-12;

    /// <summary>Dropout of hidden states.</summary>
    public double HiddenDropout { get; init; } = 0.1;

    /// <summary>Dropout of attention probabilities.</summary>
    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>Dropout before the last layer of the head; null: <see cref="HiddenDropout"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Standard deviation of freshly initialised weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The padding token.</summary>
    public int PadTokenId { get; init; }

    /// <summary>Rows of the position embedding (BERT, RoBERTa); what relative positions fall back to (DeBERTa).</summary>
    public int MaxPositions { get; init; } = 512;

    /// <summary>Rows of the segment embedding; 0 for none.</summary>
    public int TypeVocabularySize { get; init; }

    /// <summary>DeBERTa's max_relative_positions; below 1: <see cref="MaxPositions"/>.</summary>
    public int MaxRelativePositions { get; init; } = -1;

    /// <summary>DeBERTa's position_buckets; below 1: none.</summary>
    public int PositionBuckets { get; init; } = -1;

    /// <summary>Whether a content's score depends on the other's position (c2p).</summary>
    public bool ContentToPosition { get; init; }

    /// <summary>Whether a position's score depends on the other's content (p2c).</summary>
    public bool PositionToContent { get; init; }

    /// <summary>Whether the relative embeddings are layer-normalised (norm_rel_ebd).</summary>
    public bool NormaliseRelativeEmbeddings { get; init; }

    /// <summary>Dropout before DeBERTa's pooler.</summary>
    public double PoolerDropout { get; init; }

    /// <summary>Activation of DeBERTa's pooler.</summary>
    public string PoolerActivation { get; init; } = "gelu";

    /// <summary>Outputs of the head: 1 for regression.</summary>
    public int Labels { get; init; } = 2;

    /// <summary>The labels' names in order, or null.</summary>
    public IReadOnlyList<string>? LabelNames { get; init; }

    /// <summary>Whether the loss is the mean squared error instead of cross-entropy; null: when <see cref="Labels"/> is 1.</summary>
    public bool? Regression { get; init; }

    /// <summary>Fields that were in the file and are not known here, for a warning.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];

    /// <summary>Whether the loss is the mean squared error.</summary>
    public bool IsRegression => Regression ?? Labels == 1;

    /// <summary>Tokens of the longest input: absolute positions run out, relative ones do not.</summary>
    public int LongestInput => Family switch
    {
        EncoderFamily.DebertaV3 => int.MaxValue,
        EncoderFamily.Roberta => MaxPositions - PadTokenId - 1,
        _ => MaxPositions,
    };

    /// <summary>The module that HuggingFace puts the encoder under.</summary>
    public string Prefix => Family switch
    {
        EncoderFamily.Bert => "bert",
        EncoderFamily.Roberta => "roberta",
        _ => "deberta",
    };

    /// <summary>DeBERTa-v3-base's shape (12 layers, 768, 3,072, 12 heads) with a vocabulary of your choice.</summary>
    public static EncoderConfig DebertaV3Base(int vocabularySize = 128100) => new()
    {
        Family = EncoderFamily.DebertaV3,
        VocabularySize = vocabularySize,
        HiddenSize = 768,
        Layers = 12,
        Heads = 12,
        IntermediateSize = 3072,
        LayerNormEpsilon = 1e-7,
        PositionBuckets = 256,
        ContentToPosition = true,
        PositionToContent = true,
        NormaliseRelativeEmbeddings = true,
    };
}
