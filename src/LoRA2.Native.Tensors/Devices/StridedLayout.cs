using LoRA2.Native.Tensors.Cpu;
namespace LoRA2.Native.Tensors.Devices;

/// <summary>
/// The shape of an array and the distance in elements between neighbours along each dimension (0 for a broadcast one). Dimensions of
/// size 1 are dropped and neighbours that lie in memory as one dimension are merged; at least one dimension is left.
/// </summary>
internal unsafe struct StridedLayout
{
    /// <summary>The most dimensions an array may have.</summary>
    public const int MaxRank = 6;

    /// <summary>Dimensions left after merging.</summary>
    public int Rank;

    private fixed long sizes[MaxRank];
    private fixed long strides[MaxRank];
    private fixed long contiguous[MaxRank];

    /// <exception cref="ArgumentException">The two differ in length, or there are more than <see cref="MaxRank"/> dimensions.</exception>
    public StridedLayout(ReadOnlySpan<nint> shape, ReadOnlySpan<nint> strides)
    {
        if (shape.Length != strides.Length) throw new ArgumentException($"A shape of {shape.Length} dimensions has {strides.Length} strides.");
        if (shape.Length > MaxRank) throw new ArgumentException($"An array has {shape.Length} dimensions; at most {MaxRank} can be copied.");
        Total = 1;
        for (int d = 0; d < shape.Length; d++)
        {
            Total *= shape[d];
            if (shape[d] == 1) continue;
            if (Rank > 0 && this.strides[Rank - 1] == strides[d] * shape[d])
            {
                sizes[Rank - 1] *= shape[d];
                this.strides[Rank - 1] = strides[d];
                continue;
            }

            sizes[Rank] = shape[d];
            this.strides[Rank++] = strides[d];
        }

        if (Rank == 0)
        {
            sizes[0] = 1;
            this.strides[0] = 1;
            Rank = 1;
        }

        long step = 1;
        for (int d = Rank - 1; d >= 0; d--)
        {
            contiguous[d] = step;
            step *= sizes[d];
        }
    }

    /// <summary>Elements in all.</summary>
    public nint Total { get; }

    /// <summary>The size of the last dimension.</summary>
    public readonly nint RowLength => (nint)sizes[Rank - 1];

    /// <summary>The stride of the last dimension.</summary>
    public readonly nint RowStride => (nint)strides[Rank - 1];

    /// <summary>Rows: the product of the sizes of all dimensions but the last.</summary>
    public readonly nint Rows => Total == 0 ? 0 : Total / RowLength;

    public readonly nint Size(int dimension) => (nint)sizes[dimension];

    public readonly nint Stride(int dimension) => (nint)strides[dimension];

    /// <summary>The same with <paramref name="size"/> elements only along one dimension.</summary>
    public readonly StridedLayout Narrow(int dimension, nint size)
    {
        StridedLayout result = this;
        result.sizes[dimension] = size;
        return result;
    }

    /// <summary>The distance in a contiguous array of the original shape between neighbours along a dimension.</summary>
    public readonly nint ContiguousStride(int dimension) => (nint)contiguous[dimension];

    /// <summary>Where row <paramref name="row"/> of the (narrowed) array starts, in the strided and in the contiguous array.</summary>
    public readonly void RowOffsets(nint row, out nint strided, out nint dense)
    {
        strided = 0;
        dense = 0;
        for (int d = Rank - 2; d >= 0; d--)
        {
            (nint rest, nint i) = Math.DivRem(row, (nint)sizes[d]);
            strided += i * (nint)strides[d];
            dense += i * (nint)contiguous[d];
            row = rest;
        }
    }
}
