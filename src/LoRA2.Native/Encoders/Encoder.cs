using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Encoders;

/// <summary>Embeddings and a stack of layers.</summary>
public sealed class Encoder
{
    /// <summary>
    /// Tokens that go through the layers together where weights are bytes: then a layer's weights are read faster than what it makes of more tokens than these, which no longer fits the caches. It depends on nothing, so that no result does.
    /// </summary>
    private const int TokensTogether = 256;

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
        bool frees = !Tape.IsCurrent && context.KeepsNothing && KeepsNothing;
        int together = Math.Max(1, TokensTogether / Math.Max(1, batch.Length));
        if (frees && batch.Size > together && context.Rows is null && linears.Length > 0 && linears[0].Weight.Value.Precision == Precision.Int8) return InParts(batch, together, out mask, context);
        return Forward(batch, out mask, context, frees);
    }

    private Tensor InParts(in EncoderBatch batch, int together, out Tensor mask, ForwardContext context)
    {
        Tensor? all = null;
        for (int first = 0; first < batch.Size; first += together)
        {
            using var scope = new TensorScope();
            int count = Math.Min(together, batch.Size - first);
            Tensor part = Forward(batch.Rows(first, count), out _, context, frees: true);
            all ??= scope.Keep(Tensor.Empty([batch.Size, part.Shape[1], part.Shape[2]], part.DType, part.Device));
            Ops.Slice(all, 0, first, count).CopyFrom(part);
        }

        mask = batch.Mask.To(all!.Device);
        return all;
    }

    private Tensor Forward(in EncoderBatch batch, out Tensor mask, ForwardContext context, bool frees)
    {
        Tensor hidden = embeddings.Forward(batch, context);
        mask = batch.Mask.To(hidden.Device);
        context.HiddenStates?.Add(hidden);
        var inputs = new LayerInputs(mask, positions?.For(batch.Length));
        foreach (IEncoderLayer layer in layers)
        {
            hidden = context.Recompute ? Checkpointed(layer, hidden, inputs, context)
                : frees && hidden.Device == Device.Cpu ? Alone(layer, hidden, inputs, context)
                : layer.Forward(hidden, inputs, context);
            context.HiddenStates?.Add(hidden);
        }

        return finalNorm is null ? hidden : finalNorm.Forward(hidden);
    }

    /// <summary>A layer whose tensors are freed after it, so that the next one's lie in memory that is in the caches.</summary>
    private static Tensor Alone(IEncoderLayer layer, Tensor hidden, LayerInputs inputs, ForwardContext context)
    {
        using var scope = new TensorScope();
        return scope.Keep(layer.Forward(hidden, inputs, context));
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
