using System.Collections.Concurrent;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// Attention with a layer's own table of distances (arXiv 1803.02155 and 2009.13658): the score of query i and key j is (q_i · k_j + q_i · E[i − j]) / √d, and for
/// <c>relative_key_query</c> k_j · E[i − j] besides. All heads share the table, [2 n − 1, d] for n positions, with the distance 0 in the middle.
/// </summary>
internal sealed class RelativeKeyAttention : SelfAttention
{
    private readonly BertConfig config;
    private readonly Parameter distances;
    private readonly ByLength zeros;
    private readonly ConcurrentDictionary<int, int[]> rowOf = [];

    public RelativeKeyAttention(BertConfig config, ParameterSource source, string path)
        : base(config, source, path)
    {
        this.config = config;
        int size = config.HiddenSize / config.Heads;
        distances = source.Table($"{path}.attention.self.distance_embedding.weight", (2 * config.MaxPositions) - 1, size);
        zeros = new ByLength(_ => Tensor.Zeros([1, config.Heads, size]));
    }

    protected override AttentionTerms Terms(LayerInputs inputs, ForwardContext context)
    {
        int length = inputs.Mask.Shape[1];
        return With(base.Terms(inputs, context), distances.Value, zeros.On(distances.Value.Device, 0), length, config.Positions == PositionKinds.RelativeKeyQuery) with { PositionOf = Rows(length) };
    }

    /// <summary>The terms with the table's rows for a length, the same for every head: what the disentangled attention's kernels take.</summary>
    /// <param name="terms">Without positions.</param>
    /// <param name="table">[2 n − 1, d].</param>
    /// <param name="zeros">[1, heads, d].</param>
    /// <param name="length">Tokens, at most n.</param>
    /// <param name="ofKeys">Whether keys have a product with the table too.</param>
    internal static AttentionTerms With(AttentionTerms terms, Tensor table, Tensor zeros, int length, bool ofKeys)
    {
        (int heads, int size, int rows) = (zeros.Shape[1], table.Shape[1], Math.Max((2 * length) - 1, 0));
        Tensor used = Ops.Slice(table, 0, ((table.Shape[0] + 1) / 2) - length, rows);
        Tensor forHeads = Ops.Reshape(Ops.Add(Ops.Reshape(Ops.Contiguous(used), rows, 1, size), zeros), rows, heads * size);
        return terms with { PositionKey = forHeads, PositionQuery = ofKeys ? forHeads : null };
    }

    /// <summary>The rows in use are in the order of the distances.</summary>
    private int[] Rows(int length) => rowOf.TryGetValue(length, out int[]? rows) ? rows : rowOf[length] = [.. Enumerable.Range(0, Math.Max((2 * length) - 1, 0))];
}
