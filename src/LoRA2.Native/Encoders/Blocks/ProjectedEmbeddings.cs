using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>Embeddings narrower than the hidden states, and the linear layer that widens them.</summary>
/// <param name="embeddings">[batch, length, narrow].</param>
/// <param name="projection">[.., narrow] → [.., width].</param>
public sealed class ProjectedEmbeddings(IEmbeddings embeddings, LinearLayer projection) : IEmbeddings, IMadeOfParts
{
    private readonly IEmbeddings embeddings = embeddings ?? throw new ArgumentNullException(nameof(embeddings));
    private readonly LinearLayer projection = projection ?? throw new ArgumentNullException(nameof(projection));

    /// <inheritdoc/>
    IEnumerable<object> IMadeOfParts.Parts => [embeddings];

    /// <inheritdoc/>
    public EncoderBatch Prepare(in EncoderBatch batch) => embeddings.Prepare(batch);

    /// <inheritdoc/>
    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        using var scope = new TensorScope();
        return scope.Keep(projection.Forward(embeddings.Forward(batch, context), context));
    }
}
