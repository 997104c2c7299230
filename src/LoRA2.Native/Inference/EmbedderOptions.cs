using LoRA2.Native.Embeddings;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Inference;

/// <summary>What a <see cref="TextEmbedder"/> does otherwise than its folder says; null leaves it to the folder.</summary>
public sealed record EmbedderOptions
{
    /// <summary>How the tokens' hidden states become one vector.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>Whether vectors have the length 1.</summary>
    public bool? Normalises { get; init; }

    /// <summary>Tokens after which a text is cut, special ones included.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Dimensions that are kept, the first ones, before vectors are normalised: for models trained so that they suffice (arXiv 2205.13147).</summary>
    public int? Dimensions { get; init; }

    /// <summary>What is put before a text, by what it is for, in place of the folder's prompts.</summary>
    public IReadOnlyDictionary<string, string>? Prompts { get; init; }

    /// <summary>The precision of the encoder's matrix products.</summary>
    public Precision Precision { get; init; } = Precision.Float32;
}
