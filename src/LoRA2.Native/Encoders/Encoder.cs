using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders;

/// <summary>Embeddings and the stack of layers.</summary>
internal sealed class Encoder
{
    private readonly EncoderConfig config;
    private readonly IEmbeddings embeddings;
    private readonly EncoderLayer[] layers;
    private readonly RelativePositions? relative;
    private readonly Parameter? relativeEmbeddings;
    private readonly NormLayer? relativeNorm;

    public Encoder(EncoderConfig config, ParameterSource source)
    {
        this.config = config;
        string name = config.Prefix;
        bool isDeberta = config.Family == EncoderFamily.DebertaV3;
        embeddings = isDeberta ? new DebertaEmbeddings(config, source, $"{name}.embeddings") : new AbsoluteEmbeddings(config, source, $"{name}.embeddings");
        layers = new EncoderLayer[config.Layers];
        for (int i = 0; i < layers.Length; i++) layers[i] = new EncoderLayer(config, source, $"{name}.encoder.layer.{i}");
        if (!isDeberta) return;
        relative = new RelativePositions(config.PositionBuckets, config.MaxRelativePositions < 1 ? config.MaxPositions : config.MaxRelativePositions);
        relativeEmbeddings = source.Required($"{name}.encoder.rel_embeddings.weight", [2 * relative.Span, config.HiddenSize]);
        if (config.NormaliseRelativeEmbeddings) relativeNorm = source.Norm($"{name}.encoder.LayerNorm", config.HiddenSize, config.LayerNormEpsilon);
    }

    public IEnumerable<LinearLayer> Linears => layers.SelectMany(layer => layer.Linears);

    /// <summary>Whether every adapter on it lets go of the tensors of a pass.</summary>
    public bool KeepsNothing => Array.TrueForAll(layers, static layer => layer.KeepsNothing);

    /// <summary>Of the matrix products with weights and in the attention.</summary>
    public Precision Precision
    {
        get;
        set
        {
            foreach (EncoderLayer layer in layers) layer.Precision = value;
            field = value;
        }
    }

    /// <summary>See <see cref="IEmbeddings.Prepare"/>.</summary>
    public EncoderBatch Prepare(in EncoderBatch batch)
    {
        batch.Require();
        return embeddings.Prepare(batch);
    }

    /// <summary>The last hidden states, [batch, length, width].</summary>
    public Tensor Forward(EncoderBatch batch, ForwardContext context)
    {
        batch.Require();
        Tensor hidden = embeddings.Forward(batch, context);
        Tensor mask = batch.Mask.To(hidden.Device);
        context.HiddenStates?.Add(hidden);
        (Tensor, int[])? positions = Relative(batch.Length);
        foreach (EncoderLayer layer in layers)
        {
            hidden = context.Recompute ? Checkpointed(layer, hidden, mask, positions, context) : layer.Forward(hidden, mask, positions, context);
            context.HiddenStates?.Add(hidden);
        }

        return hidden;
    }

    private static Tensor Checkpointed(EncoderLayer layer, Tensor hidden, Tensor mask, (Tensor Embeddings, int[] RowOf)? positions, ForwardContext context)
    {
        ForwardContext start = context.Again(), pass = context;
        Tensor Body()
        {
            ForwardContext now = pass;
            pass = start.Again();
            return layer.Forward(hidden, mask, positions, now);
        }

        return positions is { } relative ? Ops.Checkpoint(Body, hidden, mask, relative.Embeddings) : Ops.Checkpoint(Body, hidden, mask);
    }

    /// <summary>Only the rows that distances of this length use; layer norm goes by rows, so they can be picked before it.</summary>
    private (Tensor Embeddings, int[] RowOf)? Relative(int length)
    {
        if (relative is null || !(config.ContentToPosition || config.PositionToContent)) return null;
        (int first, int count, int[] rows) = relative.Rows(length);
        Tensor used = Ops.Slice(relativeEmbeddings!.Value, 0, first, count);
        return (relativeNorm is null ? Ops.Contiguous(used) : relativeNorm.Forward(used), rows);
    }
}
