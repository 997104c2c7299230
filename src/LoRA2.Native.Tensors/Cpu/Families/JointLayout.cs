namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>
/// How up to three arrays of one shape lie in memory, walked together with a contiguous one: dimensions of size 1 are dropped, and neighbours merged that lie as one
/// dimension in all of them. At least one dimension is left.
/// </summary>
internal unsafe struct JointLayout
{
    private const int Operands = 3;

    private fixed long sizes[Shape.MaxRank];
    private fixed long strides[Shape.MaxRank * Operands];

    public JointLayout(Shape shape, Tensor first, Tensor? second = null, Tensor? third = null)
    {
        Total = shape.Elements;
        for (int d = 0; d < shape.Rank; d++)
        {
            int size = shape[d];
            if (size == 1) continue;
            long s0 = first.Strides[d], s1 = second?.Strides[d] ?? s0, s2 = third?.Strides[d] ?? s0;
            if (Rank > 0 && Stride(Rank - 1, 0) == s0 * size && Stride(Rank - 1, 1) == s1 * size && Stride(Rank - 1, 2) == s2 * size)
            {
                sizes[Rank - 1] *= size;
                Set(Rank - 1, s0, s1, s2);
                continue;
            }

            sizes[Rank] = size;
            Set(Rank++, s0, s1, s2);
        }

        if (Rank > 0) return;
        sizes[0] = 1;
        Set(0, 1, 1, 1);
        Rank = 1;
    }

    /// <summary>Dimensions left.</summary>
    public int Rank { get; private set; }

    /// <summary>Elements in all.</summary>
    public nint Total { get; }

    /// <summary>The size of the last dimension.</summary>
    public readonly nint RowLength => (nint)sizes[Rank - 1];

    /// <summary>Rows: the product of the sizes of all dimensions but the last.</summary>
    public readonly nint Rows => Total == 0 ? 0 : Total / RowLength;

    /// <summary>The distance between neighbours of a row in one of the arrays.</summary>
    public readonly nint RowStride(int operand) => Stride(Rank - 1, operand);

    /// <summary>Where a row starts in one of the arrays.</summary>
    public readonly nint RowOffset(nint row, int operand)
    {
        nint offset = 0;
        for (int d = Rank - 2; d >= 0; d--)
        {
            (row, nint i) = Math.DivRem(row, (nint)sizes[d]);
            offset += i * Stride(d, operand);
        }

        return offset;
    }

    private readonly nint Stride(int dimension, int operand) => (nint)strides[(dimension * Operands) + operand];

    private void Set(int dimension, long first, long second, long third)
    {
        strides[dimension * Operands] = first;
        strides[(dimension * Operands) + 1] = second;
        strides[(dimension * Operands) + 2] = third;
    }
}

/// <summary>The parts in which a <see cref="JointLayout"/> is walked: pieces of a long row, or several short rows.</summary>
internal readonly struct JointParts
{
    private readonly nint rowsPerPart;
    private readonly nint piecesPerRow;

    public JointParts(in JointLayout layout)
    {
        nint length = layout.RowLength;
        piecesPerRow = length > 2 * Vectors.SimdTask.BlockElements ? Vectors.SimdTask.Parts(length) : 1;
        rowsPerPart = Vectors.SimdTask.RowsPerPart(length);
        Count = piecesPerRow > 1 ? checked((int)(piecesPerRow * layout.Rows)) : Vectors.SimdTask.Parts(layout.Rows, rowsPerPart);
    }

    /// <summary>Parts in all.</summary>
    public int Count { get; }

    /// <summary>The rows, and the piece of each, that a part is.</summary>
    public void Of(int part, in JointLayout layout, out nint firstRow, out nint lastRow, out nint from, out nint length)
    {
        if (piecesPerRow > 1)
        {
            (firstRow, nint piece) = Math.DivRem(part, piecesPerRow);
            lastRow = firstRow + 1;
            from = piece * Vectors.SimdTask.BlockElements;
            length = Math.Min(Vectors.SimdTask.BlockElements, layout.RowLength - from);
            return;
        }

        firstRow = part * rowsPerPart;
        lastRow = Math.Min(layout.Rows, firstRow + rowsPerPart);
        (from, length) = (0, layout.RowLength);
    }
}
