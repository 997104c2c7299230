using System.Buffers;
using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Encoders;

/// <summary>Rows of a batch that follow each other, and what adapts the encoder for them.</summary>
/// <param name="Count">How many rows.</param>
/// <param name="Adapters">One for each of <see cref="Encoder.Linears"/>, in their order, or null where there is none.</param>
internal readonly record struct AdaptedRows(int Count, Adapter?[] Adapters);

/// <summary>
/// The adapters of a batch's rows, segment by segment: a layer's own product is computed once for all rows, the low-rank ones for each segment. What is no low-rank update has its
/// segment's layer computed by itself.
/// </summary>
internal sealed class RowAdapters(IReadOnlyList<AdaptedRows> segments)
{
    private readonly int batch = segments.Sum(segment => segment.Count);

    /// <summary>Number of segments.</summary>
    public int Count => segments.Count;

    /// <summary>Rows of one segment.</summary>
    public int RowsOf(int segment) => segments[segment].Count;

    /// <summary>The same for texts without padding, of which every token is a row.</summary>
    public RowAdapters OfTokens(in PackedTokens packed)
    {
        ReadOnlySpan<int> starts = packed.Starts.AsSpan<int>();
        var ofTokens = new AdaptedRows[segments.Count];
        int first = 0;
        for (int i = 0; i < ofTokens.Length; i++)
        {
            int end = first + segments[i].Count;
            ofTokens[i] = segments[i] with { Count = starts[end] - starts[first] };
            first = end;
        }

        return new RowAdapters(ofTokens);
    }

    /// <summary>One segment as all there is.</summary>
    public RowAdapters Only(int segment) => new([segments[segment]]);

    /// <summary>Whether a layer has an adapter in some segment.</summary>
    public bool Adapt(LinearLayer layer) => layer.Place >= 0 && segments.Any(segment => segment.Adapters[layer.Place] is not null);

    /// <summary>activation(x Wᵀ + b + each segment's update): [batch, .., in] → [batch, .., out]; of a single segment x is whatever the layer is asked.</summary>
    public Tensor Forward(LinearLayer layer, Tensor x, Activation activation)
    {
        (Tensor weight, Tensor? bias, int place) = (layer.Weight.Value, layer.Bias?.Value, layer.Place);
        if (segments.Count == 1) return segments[0].Adapters[place]?.Forward(x, weight, bias, activation) ?? Ops.Linear(x, weight, bias, activation);
        if (!Adapt(layer)) return Ops.Linear(x, weight, bias, activation);
        if (x.Shape.Rank < 2 || x.Shape[0] != batch)
            throw new InvalidOperationException($"layer {layer.Name} was asked of {x.Shape}; in a pass whose rows have adapters of their own its first axis has to be the batch's, {batch}");
        return segments.All(segment => segment.Adapters[place] is null or LowRankAdapter) ? LowRank(layer, x, activation) : Apart(layer, x, activation);
    }

    private Tensor LowRank(LinearLayer layer, Tensor x, Activation activation)
    {
        int each = x.Shape.Rows / Math.Max(batch, 1);
        LowRankSegment[] updates = ArrayPool<LowRankSegment>.Shared.Rent(segments.Count);
        try
        {
            for (int i = 0; i < segments.Count; i++)
            {
                int rows = segments[i].Count * each;
                if (segments[i].Adapters[layer.Place] is LowRankAdapter adapter)
                {
                    (Tensor a, Tensor b) = adapter.LowRank();
                    updates[i] = new LowRankSegment(rows, a, b, adapter.Scale);
                }
                else
                {
                    updates[i] = new LowRankSegment(rows);
                }
            }

            return Ops.SegmentedLoRALinear(x, layer.Weight.Value, layer.Bias?.Value, updates.AsSpan(0, segments.Count), activation);
        }
        finally
        {
            ArrayPool<LowRankSegment>.Shared.Return(updates, clearArray: true);
        }
    }

    private Tensor Apart(LinearLayer layer, Tensor x, Activation activation)
    {
        Tensor[] parts = ArrayPool<Tensor>.Shared.Rent(segments.Count);
        try
        {
            int row = 0;
            for (int i = 0; i < segments.Count; i++)
            {
                Tensor own = Ops.Slice(x, 0, row, segments[i].Count);
                parts[i] = segments[i].Adapters[layer.Place]?.Forward(own, layer.Weight.Value, layer.Bias?.Value, activation) ?? Ops.Linear(own, layer.Weight.Value, layer.Bias?.Value, activation);
                row += segments[i].Count;
            }

            return Ops.Concat(0, parts.AsSpan(0, segments.Count));
        }
        finally
        {
            ArrayPool<Tensor>.Shared.Return(parts, clearArray: true);
        }
    }
}
