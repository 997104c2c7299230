using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>Embeddings and a stack of layers.</summary>
public sealed class Encoder
{
    private readonly IEmbeddings embeddings;
    private readonly IEncoderLayer[] layers;
    private readonly IRelativeTable? positions;
    private readonly NormLayer? finalNorm;
    private readonly LinearLayer[] linears;

    /// <summary>Puts the parts together.</summary>
    /// <param name="embeddings">From ids to the first hidden states.</param>
    /// <param name="layers">In their order; one that stands twice is computed twice with the same weights.</param>
    /// <param name="positions">The table of relative positions that the layers share, or null.</param>
    /// <param name="finalNorm">After the last layer; null for none.</param>
    public Encoder(IEmbeddings embeddings, IReadOnlyList<IEncoderLayer> layers, IRelativeTable? positions = null, NormLayer? finalNorm = null)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(layers);
        this.embeddings = embeddings;
        this.layers = [.. layers];
        this.positions = positions;
        this.finalNorm = finalNorm;
        linears = [.. layers.Distinct().SelectMany(layer => layer.Linears)];
        for (int i = 0; i < linears.Length; i++) linears[i].Place = i;
    }

    /// <summary>The linear layers of all layers, each once.</summary>
    public IReadOnlyList<LinearLayer> Linears => linears;

    /// <summary>Whether every adapter on it lets go of the tensors of a pass.</summary>
    internal bool KeepsNothing => Array.TrueForAll(linears, static layer => layer.Adapter is null or { KeepsNothing: true });

    /// <summary>See <see cref="IEmbeddings.Prepare"/>.</summary>
    public EncoderBatch Prepare(in EncoderBatch batch)
    {
        batch.Require();
        return embeddings.Prepare(batch);
    }

    /// <summary>The last hidden states, [batch, length, width].</summary>
    /// <param name="batch">Ids and mask.</param>
    /// <param name="mask">The batch's mask where the hidden states are.</param>
    /// <param name="context">The pass.</param>
    public Tensor Forward(EncoderBatch batch, out Tensor mask, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        batch.Require();
        Tensor hidden = embeddings.Forward(batch, context);
        mask = batch.Mask.To(hidden.Device);
        context.HiddenStates?.Add(hidden);
        var inputs = new LayerInputs(mask, positions?.For(batch.Length));
        foreach (IEncoderLayer layer in layers)
        {
            hidden = context.Recompute ? Checkpointed(layer, hidden, inputs, context) : layer.Forward(hidden, inputs, context);
            context.HiddenStates?.Add(hidden);
        }

        return finalNorm is null ? hidden : finalNorm.Forward(hidden);
    }

    private static Tensor Checkpointed(IEncoderLayer layer, Tensor hidden, LayerInputs inputs, ForwardContext context)
    {
        ForwardContext start = context.Again(), pass = context;
        Tensor Body()
        {
            ForwardContext now = pass;
            pass = start.Again();
            return layer.Forward(hidden, inputs, now);
        }

        return inputs.Positions is { } relative ? Ops.Checkpoint(Body, hidden, inputs.Mask, relative.Table) : Ops.Checkpoint(Body, hidden, inputs.Mask);
    }
}
