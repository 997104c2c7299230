using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Copies between layouts and element types.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>Where a destination element has sums at least so long and there are few of them, a block adds up each.</summary>
    private const int LongSum = 256, FewSums = 4096;

    private readonly DeviceTable joined = new(device);

    public override void Copy(Tensor source, Tensor destination)
    {
        RequireHere(nameof(Copy), source);
        RequireHere(nameof(Copy), destination);
        if (source.DType == DType.Float64 && destination.DType == DType.Float64 && source.IsContiguous)
        {
            CopyWords(source, destination, source.Bytes);
            return;
        }

        var copy = (source.DType, destination.DType) switch
        {
            (DType.Float32, DType.Float32) or (DType.Int32, DType.Int32) => launch.Copies.Words,
            (DType.BFloat16, DType.BFloat16) => launch.Copies.Halves,
            (DType.Float32, DType.BFloat16) => launch.Copies.ToBFloat16,
            (DType.BFloat16, DType.Float32) => launch.Copies.FromBFloat16,
            (DType.Int32, DType.Float32) => launch.Copies.FromInt32,
            _ => throw new NotSupportedException($"Copy: on {device.Name} a tensor of {source.DType} can't be converted to {destination.DType}"),
        };
        if (source.Count == 0) return;
        bool words = copy == launch.Copies.Words;
        if (source.IsContiguous && words)
        {
            CopyWords(source, destination, source.Bytes);
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
        if (words && InFours(layout, source, destination))
        {
            copy = launch.Copies.Fours;
            count /= 4;
            sizes[layout.Rank - 1] /= 4;
            for (int d = 0; d < layout.Rank - 1; d++) strides[d] /= 4;
        }

        copy(
            ElementBlocks(count, 0), ElementThreads, source, destination, count, layout.Rank,
            sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], strides[0], strides[1], strides[2], strides[3], strides[4], strides[5]);
    }

    public override void Concatenate(ReadOnlySpan<Tensor> tensors, Tensor y)
    {
        RequireFloat32(nameof(Concatenate), tensors);
        RequireFloat32(nameof(Concatenate), y);
        int pieces = Pieces(tensors, joined);
        if (pieces > 0) launch.Copies.Join(pieces, ElementThreads, joined.Put(), y);
    }

    /// <summary>Copies contiguous words of four bytes.</summary>
    internal void CopyWords(Address from, Address to, nuint bytes)
    {
        int count = checked((int)(bytes / 4)), vectors = from.Value % 16 == 0 && to.Value % 16 == 0 ? count / 4 : 0;
        if (count > 0) launch.Elementwise.Copy(ElementBlocks(count, vectors), ElementThreads, from, to, vectors, count);
    }

    public override void AccumulateInto(Tensor source, Tensor destination)
    {
        RequireFloat32(nameof(AccumulateInto), source, destination);
        if (source.Count == 0) return;
        StridedLayout layout = LayoutOf(source.Shape, destination.Strides);
        Span<Dimension> dimensions = stackalloc Dimension[layout.Rank];
        for (int d = 0; d < layout.Rank; d++) dimensions[d] = new((int)layout.Size(d), (int)layout.ContiguousStride(d), (int)layout.Stride(d));
        using var scope = new TensorScope();
        Span<Dimension> others = stackalloc Dimension[layout.Rank];
        // A kernel sums along one dimension: of several the last go to a sum of its own first.
        while (LastSummed(dimensions) is var last and > 0 && LastSummed(dimensions[..last]) >= 0)
        {
            Dimension along = dimensions[last];
            Tensor sum = Tensor.Empty([source.Count / along.Size], DType.Float32, device);
            device.Clear(sum.Address, sum.Bytes);
            others = Without(dimensions, last, others);
            int step = 1;
            for (int d = others.Length - 1; d >= 0; step *= others[d--].Size) others[d] = others[d] with { To = step };
            Accumulate(source, sum, others, along);
            for (int d = 0; d < others.Length; d++) others[d] = new(others[d].Size, others[d].To, dimensions[d < last ? d : d + 1].To);
            others.CopyTo(dimensions);
            dimensions = dimensions[..others.Length];
            source = sum;
        }

        int summed = LastSummed(dimensions);
        if (summed < 0) Accumulate(source, destination, dimensions, new(1, 0, 0));
        else Accumulate(source, destination, Without(dimensions, summed, others), dimensions[summed]);
    }

    private void Accumulate(Tensor source, Tensor destination, ReadOnlySpan<Dimension> kept, Dimension along)
    {
        var sizes = default(SixNumbers);
        var from = default(SixNumbers);
        var to = default(SixNumbers);
        int count = 1;
        for (int d = 0; d < kept.Length; d++)
        {
            (sizes[d], from[d], to[d]) = kept[d];
            count *= kept[d].Size;
        }

        bool blocks = along.Size >= LongSum && count < FewSums;
        var accumulate = blocks ? launch.Copies.AccumulateBlock : launch.Copies.Accumulate;
        accumulate(
            blocks ? count : ElementBlocks(count, 0), blocks ? RowThreads : ElementThreads,
            source, destination, count, along.Size, along.From, kept.Length, sizes[1], sizes[2], sizes[3], sizes[4], sizes[5],
            from[0], from[1], from[2], from[3], from[4], from[5], to[0], to[1], to[2], to[3], to[4], to[5]);
    }

    /// <summary>The last dimension along which the destination stays where it is, or −1.</summary>
    private static int LastSummed(ReadOnlySpan<Dimension> dimensions)
    {
        int last = dimensions.Length - 1;
        while (last >= 0 && dimensions[last].To != 0) last--;
        return last;
    }

    /// <summary>All dimensions but one, in <paramref name="room"/>.</summary>
    private static Span<Dimension> Without(ReadOnlySpan<Dimension> dimensions, int one, Span<Dimension> room)
    {
        dimensions[..one].CopyTo(room);
        dimensions[(one + 1)..].CopyTo(room[one..]);
        return room[..(dimensions.Length - 1)];
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

    /// <summary>A dimension's size, and the distances between neighbours in the source and in the destination.</summary>
    private readonly record struct Dimension(int Size, int From, int To);

    [System.Runtime.CompilerServices.InlineArray(StridedLayout.MaxRank)]
    private struct SixNumbers
    {
        private int first;
    }
}
