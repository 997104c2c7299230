using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>DeBERTa's table of relative positions, one for all layers, layer-normalised where the config says so.</summary>
internal sealed class RelativeEmbeddings : IRelativeTable
{
    private readonly bool isUsed;
    private readonly RelativePositions positions;
    private readonly Parameter table;
    private readonly NormLayer? norm;

    public RelativeEmbeddings(DebertaV2Config config, ParameterSource source, string path)
    {
        isUsed = config.ContentToPosition || config.PositionToContent;
        positions = new RelativePositions(config.PositionBuckets, config.Reach);
        table = source.Table($"{path}.rel_embeddings.weight", 2 * positions.Span, config.HiddenSize);
        if (config.NormaliseRelativeEmbeddings) norm = source.Norm($"{path}.LayerNorm", config.HiddenSize, config.LayerNormEpsilon);
    }

    /// <summary>Only the rows that distances of this length use; layer norm goes by rows, so they can be picked before it.</summary>
    public RelativeRows? For(int length)
    {
        if (!isUsed) return null;
        (int first, int count, int[] rows) = positions.Rows(length);
        Tensor used = Ops.Slice(table.Value, 0, first, count);
        return new RelativeRows(norm is null ? Ops.Contiguous(used) : norm.Forward(used), rows);
    }
}
