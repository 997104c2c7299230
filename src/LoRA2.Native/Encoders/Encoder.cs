using System.Runtime.InteropServices;
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
    private readonly bool isOurs;

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
        isOurs = ((object?[])[embeddings, positions, .. layers]).All(IMadeOfParts.IsOurs);
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
        int together = Math.Max(1, TokensTogether / Math.Max(1, batch.Length));
        return batch.Size > together && CanBeInParts(context) ? InParts(batch, together, out mask, context) : Whole(batch, out mask, context);
    }

    /// <summary>Whether weights are bytes and nobody sees that a pass is several: neither the caller, nor a tape, nor a dropout, nor a part that somebody else wrote, which may keep a tensor for the rest of the pass.</summary>
    private bool CanBeInParts(ForwardContext context) =>
        linears.Length > 0 && linears[0].Weight.Value.Precision == Precision.Int8 && isOurs && KeepsNothing && !Tape.IsCurrent && !context.IsTraining && context is { HiddenStates: null, Attentions: null, Rows: null };

    private Tensor InParts(in EncoderBatch batch, int together, out Tensor mask, ForwardContext context)
    {
        Tensor? all = null;
        for (int first = 0; first < batch.Size; first += together)
        {
            using var scope = new TensorScope();
            int count = Math.Min(together, batch.Size - first);
            Tensor part = Whole(batch.Rows(first, count), out _, context);
            all ??= scope.Keep(Tensor.Empty([batch.Size, part.Shape[1], part.Shape[2]], part.DType, part.Device));
            Ops.Slice(all, 0, first, count).CopyFrom(part);
        }

        mask = batch.Mask.To(all!.Device);
        return all;
    }

    private Tensor Whole(in EncoderBatch batch, out Tensor mask, ForwardContext context)
    {
        if (CanBePacked(batch, context) && PackedTokens.Of(batch) is { } packed) return Packed(batch, packed, out mask, context);
        Tensor hidden = embeddings.Forward(batch, context);
        mask = batch.Mask.To(hidden.Device);
        context.HiddenStates?.Add(hidden);
        return Layers(hidden, new LayerInputs(mask, positions?.For(batch.Length)), context);
    }

    /// <summary>Whether nobody sees that a pass has no padding: all parts are ours and on the CPU, and nobody looks into it.</summary>
    private bool CanBePacked(in EncoderBatch batch, ForwardContext context) =>
        isOurs && batch.Ids.Device == Device.Cpu && batch.Mask.Device == Device.Cpu && linears.Length > 0 && linears[0].Weight.Value.Device == Device.Cpu && context is { HiddenStates: null, Attentions: null, KeepsPadding: false };

    /// <summary>The layers of a batch's tokens alone; the hidden states of padding are zeros.</summary>
    private Tensor Packed(in EncoderBatch batch, in PackedTokens packed, out Tensor mask, ForwardContext context)
    {
        mask = batch.Mask;
        context.Pack(packed);
        try
        {
            ForwardContext pass = context.OfTokens(packed);
            Tensor hidden = embeddings.Forward(packed.Pack(embeddings.Prepare(batch)), pass);
            return packed.Pad(Layers(hidden, new LayerInputs(mask, positions?.For(batch.Length)) { Packed = packed }, pass));
        }
        finally
        {
            context.Pack(null);
        }
    }

    private Tensor Layers(Tensor hidden, in LayerInputs inputs, ForwardContext context)
    {
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

        List<Tensor> kept = [hidden, inputs.Mask];
        if (inputs.Positions is { } relative) kept.Add(relative.Table);
        if (inputs.Packed is { } packed) kept.AddRange([packed.Places, packed.Starts]);
        return Ops.Checkpoint(Body, CollectionsMarshal.AsSpan(kept));
    }
}
