using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>The operands of one call of <see cref="Int8Kernel{TVector, TSums, TRows}"/>.</summary>
internal unsafe struct Int8Tile
{
    /// <summary>Rows of 16-bit integers, <see cref="RowStep"/> apart.</summary>
    public short* A;
    public nint RowStep;

    /// <summary>A panel, or its columns from one on.</summary>
    public sbyte* B;

    /// <summary>Length of the sum, in pairs.</summary>
    public nint Pairs;

    /// <summary>A factor for each row.</summary>
    public float* RowScales;

    /// <summary>A factor for each column.</summary>
    public float* ColumnScales;

    /// <summary>Whole vectors added to every row, or null.</summary>
    public float* Bias;

    public float Beta;
    public float* C;
    public nint CStep;
}

/// <summary>
/// C = scaled A·B + beta · C + bias for <typeparamref name="TRows"/> ≤ 6 rows by two vectors of columns, in registers. Sums are exact, so that an element's bits depend on neither the path nor the tile.
/// </summary>
internal static unsafe class Int8Kernel<TVector, TSums, TRows>
    where TVector : unmanaged
    where TSums : unmanaged, IPairSums<TVector>
    where TRows : unmanaged, IConstant
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Int8Tile* tile)
    {
        TVector p0 = default, q0 = default;
        TVector p1 = default, q1 = default;
        TVector p2 = default, q2 = default;
        TVector p3 = default, q3 = default;
        TVector p4 = default, q4 = default;
        TVector p5 = default, q5 = default;
        nint row = tile->RowStep, row2 = 2 * row;
        short* a = tile->A;
        short* a3 = a + (3 * row);
        sbyte* b = tile->B;
        for (nint pairs = tile->Pairs; pairs > 0; pairs--)
        {
            TVector b0 = TSums.Widen(b), b1 = TSums.Widen(b + (2 * TSums.Count));
            b += 2 * Int8PackedMatrix.PanelColumns;
            if (TRows.Value > 0) Add(ref p0, ref q0, a, b0, b1);
            if (TRows.Value > 1) Add(ref p1, ref q1, a + row, b0, b1);
            if (TRows.Value > 2) Add(ref p2, ref q2, a + row2, b0, b1);
            if (TRows.Value > 3) Add(ref p3, ref q3, a3, b0, b1);
            if (TRows.Value > 4) Add(ref p4, ref q4, a3 + row, b0, b1);
            if (TRows.Value > 5) Add(ref p5, ref q5, a3 + row2, b0, b1);
            a += 2;
            if (TRows.Value > 3) a3 += 2;
        }

        if (TRows.Value > 0) Store(p0, q0, 0, tile);
        if (TRows.Value > 1) Store(p1, q1, 1, tile);
        if (TRows.Value > 2) Store(p2, q2, 2, tile);
        if (TRows.Value > 3) Store(p3, q3, 3, tile);
        if (TRows.Value > 4) Store(p4, q4, 4, tile);
        if (TRows.Value > 5) Store(p5, q5, 5, tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ref TVector p, ref TVector q, short* a, TVector b0, TVector b1)
    {
        TVector x = TSums.Broadcast(a);
        p = TSums.Add(p, x, b0);
        q = TSums.Add(q, x, b1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TVector p, TVector q, int row, Int8Tile* tile)
    {
        float* c = tile->C + (row * tile->CStep);
        TSums.Store(p, tile->RowScales[row], tile->ColumnScales, tile->Bias, tile->Beta, c);
        TSums.Store(q, tile->RowScales[row], tile->ColumnScales + TSums.Count, tile->Bias == null ? null : tile->Bias + TSums.Count, tile->Beta, c + TSums.Count);
    }
}
