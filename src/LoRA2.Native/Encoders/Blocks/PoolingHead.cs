using LoRA2.Native.Embeddings;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>What makes a text's vector of its hidden states: pooling, perhaps a cut to the first dimensions (arXiv 2205.13147, Matryoshka), perhaps the length 1. It has no weights.</summary>
internal sealed class PoolingHead : EncoderHead
{
    private readonly TokenPooling pooling;
    private readonly bool normalises;
    private readonly int dimensions;

    /// <param name="config">The encoder's shape.</param>
    /// <param name="settings">Pooling and normalisation.</param>
    /// <param name="dimensions">Dimensions that are kept; null for all.</param>
    public PoolingHead(EncoderConfig config, EmbeddingSettings settings, int? dimensions = null)
    {
        pooling = new TokenPooling(settings.Pooling);
        normalises = settings.Normalises;
        this.dimensions = dimensions ?? config.HiddenSize;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HeadModule> Modules => [];

    /// <summary>[batch, length, width] → [batch, dimensions].</summary>
    public override Tensor Forward(Tensor hidden, Tensor mask, ForwardContext context)
    {
        using var scope = new TensorScope();
        Tensor vector = pooling.Forward(hidden, mask);
        if (dimensions < vector.Shape[1]) vector = Ops.Slice(vector, 1, 0, dimensions);
        return scope.Keep(normalises ? Ops.Normalize(vector) : Ops.Contiguous(vector));
    }
}
