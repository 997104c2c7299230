using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu;

namespace LoRA2.Native.Cuda;

/// <content>Copies between layouts and element types.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>Where a destination element has sums at least so long and there are few of them, a block adds up each.</summary>
    private const int LongSum = 256, FewSums = 4096;

    public override void Copy(Tensor source, Tensor destination)
    {
        RequireHere(nameof(Copy), source);
        RequireHere(nameof(Copy), destination);
        string kernel = (source.DType, destination.DType) switch
        {
            (DType.Float32, DType.Float32) or (DType.Int32, DType.Int32) => "Copies.Words",
            (DType.BFloat16, DType.BFloat16) => "Copies.Halves",
            (DType.Float32, DType.BFloat16) => "Copies.ToBFloat16",
            (DType.BFloat16, DType.Float32) => "Copies.FromBFloat16",
            (DType.Int32, DType.Float32) => "Copies.FromInt32",
            _ => throw new NotSupportedException($"Copy: on {device.Name} a tensor of {source.DType} can't be converted to {destination.DType}"),
        };
        if (source.Count == 0) return;
        if (source.IsContiguous && kernel == "Copies.Words")
        {
            int vectors = Vectors(source.Count, source, destination);
            Launch("Elementwise.Copy", ElementBlocks(source.Count, vectors), ElementThreads, source, destination, vectors, source.Count);
            return;
        }

        var sizes = default(SixNumbers);
        var strides = default(SixNumbers);
        StridedLayout layout = LayoutOf(source.Shape, source.Strides);
        for (int d = 0; d < layout.Rank; d++)
        {
            sizes[d] = checked((int)layout.Size(d));
            strides[d] = checked((int)layout.Stride(d));
        }

        int count = source.Count;
        if (kernel == "Copies.Words" && InFours(layout, source, destination))
        {
            kernel = "Copies.Fours";
            count /= 4;
            sizes[layout.Rank - 1] /= 4;
            for (int d = 0; d < layout.Rank - 1; d++) strides[d] /= 4;
        }

        Launch(
            kernel, ElementBlocks(count, 0), ElementThreads, source, destination, count, layout.Rank,
            sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], strides[0], strides[1], strides[2], strides[3], strides[4], strides[5]);
    }

    public override void AccumulateInto(Tensor source, Tensor destination)
    {
        RequireFloat32(nameof(AccumulateInto), source, destination);
        if (source.Count == 0) return;
        StridedLayout layout = LayoutOf(source.Shape, destination.Strides);
        var dimensions = new List<(int Size, int From, int To)>(layout.Rank);
        for (int d = 0; d < layout.Rank; d++) dimensions.Add(((int)layout.Size(d), (int)layout.ContiguousStride(d), (int)layout.Stride(d)));
        using var scope = new TensorScope();
        // A kernel sums along one dimension: of several the last go to a sum of its own first.
        for (int last = dimensions.FindLastIndex(d => d.To == 0); last > dimensions.FindIndex(d => d.To == 0); last = dimensions.FindLastIndex(d => d.To == 0))
        {
            int count = source.Count / dimensions[last].Size;
            Tensor sum = Tensor.Empty([count], DType.Float32, device);
            device.Clear(sum.Address, sum.Bytes);
            var kept = new List<(int Size, int From, int To)>();
            int step = 1;
            for (int d = dimensions.Count - 1; d >= 0; d--)
            {
                if (d == last) continue;
                kept.Insert(0, (dimensions[d].Size, dimensions[d].From, step));
                step *= dimensions[d].Size;
            }

            Accumulate(source, sum, kept, dimensions[last]);
            dimensions.RemoveAt(last);
            for (int d = 0; d < dimensions.Count; d++) dimensions[d] = (dimensions[d].Size, kept[d].To, dimensions[d].To);
            source = sum;
        }

        int summed = dimensions.FindIndex(d => d.To == 0);
        (int, int, int) along = (1, 0, 0);
        if (summed >= 0)
        {
            along = dimensions[summed];
            dimensions.RemoveAt(summed);
        }

        Accumulate(source, destination, dimensions, along);
    }

    private void Accumulate(Tensor source, Tensor destination, List<(int Size, int From, int To)> kept, (int Size, int From, int To) along)
    {
        var sizes = default(SixNumbers);
        var from = default(SixNumbers);
        var to = default(SixNumbers);
        int count = 1;
        for (int d = 0; d < kept.Count; d++)
        {
            (sizes[d], from[d], to[d]) = kept[d];
            count *= kept[d].Size;
        }

        bool blocks = along.Size >= LongSum && count < FewSums;
        Launch(
            blocks ? "Copies.AccumulateBlock" : "Copies.Accumulate", blocks ? count : ElementBlocks(count, 0), blocks ? RowThreads : ElementThreads,
            source, destination, count, along.Size, along.From, kept.Count, sizes[1], sizes[2], sizes[3], sizes[4], sizes[5],
            from[0], from[1], from[2], from[3], from[4], from[5], to[0], to[1], to[2], to[3], to[4], to[5]);
    }

    private static StridedLayout LayoutOf(Shape shape, ReadOnlySpan<int> strides)
    {
        Span<nint> sizes = stackalloc nint[shape.Rank];
        Span<nint> steps = stackalloc nint[shape.Rank];
        for (int d = 0; d < shape.Rank; d++) (sizes[d], steps[d]) = (shape[d], strides[d]);
        return new StridedLayout(sizes, steps);
    }

    /// <summary>Whether every four neighbours of the destination are four neighbours of the source, at aligned addresses.</summary>
    private static bool InFours(in StridedLayout layout, Tensor source, Tensor destination)
    {
        if (layout.RowStride != 1 || layout.RowLength % 4 != 0 || Vectors(4, source, destination) == 0) return false;
        for (int d = 0; d < layout.Rank - 1; d++)
        {
            if (layout.Stride(d) % 4 != 0) return false;
        }

        return true;
    }

    [System.Runtime.CompilerServices.InlineArray(StridedLayout.MaxRank)]
    private struct SixNumbers
    {
        private int first;
    }
}
