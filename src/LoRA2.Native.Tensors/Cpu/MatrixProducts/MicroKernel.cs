using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// C = alpha · A·B + Left·Right + beta · C + bias for a tile of <typeparamref name="TRows"/> rows by <typeparamref name="TColumns"/>
/// vectors that stays in registers: each step of the sum loads one row of B and broadcasts one column of A. Each element is summed in the
/// order of the depth, whatever the tile's size, so an element's bits do not depend on where the tile's edges fall. beta = 0 does not read
/// C.
/// </summary>
internal static unsafe class MicroKernel<T, TVector, TSimd, TRows, TColumns>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
    where TRows : unmanaged, IConstant
    where TColumns : unmanaged, IConstant
{
    /// <summary>Whether a vector is a cache line, so that two vectors are two of them.</summary>
    private static bool IsLine
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => sizeof(TVector) >= 64;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Tile<T>* tile)
    {
        TVector b0, b1 = default, x;
        TVector p0 = default, q0 = default;
        TVector p1 = default, q1 = default;
        TVector p2 = default, q2 = default;
        TVector p3 = default, q3 = default;
        TVector p4 = default, q4 = default;
        TVector p5 = default, q5 = default;
        TVector p6 = default, q6 = default;
        TVector p7 = default, q7 = default;
        TVector p8 = default, q8 = default;
        TVector p9 = default, q9 = default;
        TVector p10 = default, q10 = default;
        TVector p11 = default, q11 = default;

        T* a = tile->A;
        T* b = tile->B;
        nint row = tile->RowStep, aStep = tile->DepthStep, bStep = tile->BStep, depth = tile->Depth;
        bool second = false;
        if (Sse.IsSupported)
        {
            T* target = tile->C;
            for (int i = 0; i < TRows.Value; i++, target += tile->CStep)
            {
                Sse.Prefetch0(target);
                if (TColumns.Value > 1 && IsLine) Sse.Prefetch0(target + TSimd.Count);
            }
        }

        while (true)
        {
            nint row2 = 2 * row, row3 = 3 * row;
            T* a4 = a + 4 * row;
            T* a8 = a4 + 4 * row;
            nint ahead = tile->Ahead;
            for (; depth > 0; depth--)
            {
                if (Sse.IsSupported)
                {
                    Sse.Prefetch1(b + ahead);
                    if (TColumns.Value > 1 && IsLine) Sse.Prefetch1(b + ahead + TSimd.Count);
                }

                b0 = TSimd.Load(b);
                if (TColumns.Value > 1) b1 = TSimd.Load(b + TSimd.Count);
                b += bStep;
                if (TRows.Value > 0) AddProduct(ref p0, ref q0, a, b0, b1);
                if (TRows.Value > 1) AddProduct(ref p1, ref q1, a + row, b0, b1);
                if (TRows.Value > 2) AddProduct(ref p2, ref q2, a + row2, b0, b1);
                if (TRows.Value > 3) AddProduct(ref p3, ref q3, a + row3, b0, b1);
                if (TRows.Value > 4) AddProduct(ref p4, ref q4, a4, b0, b1);
                if (TRows.Value > 5) AddProduct(ref p5, ref q5, a4 + row, b0, b1);
                if (TRows.Value > 6) AddProduct(ref p6, ref q6, a4 + row2, b0, b1);
                if (TRows.Value > 7) AddProduct(ref p7, ref q7, a4 + row3, b0, b1);
                if (TRows.Value > 8) AddProduct(ref p8, ref q8, a8, b0, b1);
                if (TRows.Value > 9) AddProduct(ref p9, ref q9, a8 + row, b0, b1);
                if (TRows.Value > 10) AddProduct(ref p10, ref q10, a8 + row2, b0, b1);
                if (TRows.Value > 11) AddProduct(ref p11, ref q11, a8 + row3, b0, b1);
                a += aStep;
                if (TRows.Value > 4) a4 += aStep;
                if (TRows.Value > 8) a8 += aStep;
            }

            if (second) break;
            second = true;
            if (tile->Alpha != T.One)
            {
                x = TSimd.Broadcast(&tile->Alpha);
                if (TRows.Value > 0) Scale(ref p0, ref q0, x);
                if (TRows.Value > 1) Scale(ref p1, ref q1, x);
                if (TRows.Value > 2) Scale(ref p2, ref q2, x);
                if (TRows.Value > 3) Scale(ref p3, ref q3, x);
                if (TRows.Value > 4) Scale(ref p4, ref q4, x);
                if (TRows.Value > 5) Scale(ref p5, ref q5, x);
                if (TRows.Value > 6) Scale(ref p6, ref q6, x);
                if (TRows.Value > 7) Scale(ref p7, ref q7, x);
                if (TRows.Value > 8) Scale(ref p8, ref q8, x);
                if (TRows.Value > 9) Scale(ref p9, ref q9, x);
                if (TRows.Value > 10) Scale(ref p10, ref q10, x);
                if (TRows.Value > 11) Scale(ref p11, ref q11, x);
            }

            if (tile->Rank == 0) break;
            a = tile->Left;
            b = tile->Right;
            row = 1;
            aStep = TSimd.TileRows;
            bStep = tile->RightStep;
            depth = tile->Rank;
        }

        T* c = tile->C;
        nint cStep = tile->CStep;
        if (tile->Beta != T.Zero)
        {
            x = TSimd.Broadcast(&tile->Beta);
            if (TRows.Value > 0) AddScaled(ref p0, ref q0, x, ref c, cStep);
            if (TRows.Value > 1) AddScaled(ref p1, ref q1, x, ref c, cStep);
            if (TRows.Value > 2) AddScaled(ref p2, ref q2, x, ref c, cStep);
            if (TRows.Value > 3) AddScaled(ref p3, ref q3, x, ref c, cStep);
            if (TRows.Value > 4) AddScaled(ref p4, ref q4, x, ref c, cStep);
            if (TRows.Value > 5) AddScaled(ref p5, ref q5, x, ref c, cStep);
            if (TRows.Value > 6) AddScaled(ref p6, ref q6, x, ref c, cStep);
            if (TRows.Value > 7) AddScaled(ref p7, ref q7, x, ref c, cStep);
            if (TRows.Value > 8) AddScaled(ref p8, ref q8, x, ref c, cStep);
            if (TRows.Value > 9) AddScaled(ref p9, ref q9, x, ref c, cStep);
            if (TRows.Value > 10) AddScaled(ref p10, ref q10, x, ref c, cStep);
            if (TRows.Value > 11) AddScaled(ref p11, ref q11, x, ref c, cStep);
            c = tile->C;
        }

        if (tile->Bias != null)
        {
            b0 = TSimd.Load(tile->Bias);
            if (TColumns.Value > 1) b1 = TSimd.Load(tile->Bias + TSimd.Count);
            if (TRows.Value > 0) Add(ref p0, ref q0, b0, b1);
            if (TRows.Value > 1) Add(ref p1, ref q1, b0, b1);
            if (TRows.Value > 2) Add(ref p2, ref q2, b0, b1);
            if (TRows.Value > 3) Add(ref p3, ref q3, b0, b1);
            if (TRows.Value > 4) Add(ref p4, ref q4, b0, b1);
            if (TRows.Value > 5) Add(ref p5, ref q5, b0, b1);
            if (TRows.Value > 6) Add(ref p6, ref q6, b0, b1);
            if (TRows.Value > 7) Add(ref p7, ref q7, b0, b1);
            if (TRows.Value > 8) Add(ref p8, ref q8, b0, b1);
            if (TRows.Value > 9) Add(ref p9, ref q9, b0, b1);
            if (TRows.Value > 10) Add(ref p10, ref q10, b0, b1);
            if (TRows.Value > 11) Add(ref p11, ref q11, b0, b1);
        }

        if (TRows.Value > 0) Store(p0, q0, ref c, cStep);
        if (TRows.Value > 1) Store(p1, q1, ref c, cStep);
        if (TRows.Value > 2) Store(p2, q2, ref c, cStep);
        if (TRows.Value > 3) Store(p3, q3, ref c, cStep);
        if (TRows.Value > 4) Store(p4, q4, ref c, cStep);
        if (TRows.Value > 5) Store(p5, q5, ref c, cStep);
        if (TRows.Value > 6) Store(p6, q6, ref c, cStep);
        if (TRows.Value > 7) Store(p7, q7, ref c, cStep);
        if (TRows.Value > 8) Store(p8, q8, ref c, cStep);
        if (TRows.Value > 9) Store(p9, q9, ref c, cStep);
        if (TRows.Value > 10) Store(p10, q10, ref c, cStep);
        if (TRows.Value > 11) Store(p11, q11, ref c, cStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddProduct(ref TVector p, ref TVector q, T* a, TVector b0, TVector b1)
    {
        TVector x = TSimd.Broadcast(a);
        p = TSimd.MultiplyAdd(x, b0, p);
        if (TColumns.Value > 1) q = TSimd.MultiplyAdd(x, b1, q);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(ref TVector p, ref TVector q, TVector x)
    {
        p = TSimd.Multiply(p, x);
        if (TColumns.Value > 1) q = TSimd.Multiply(q, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(ref TVector p, ref TVector q, TVector x, ref T* c, nint step)
    {
        p = TSimd.MultiplyAdd(x, TSimd.Load(c), p);
        if (TColumns.Value > 1) q = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q);
        c += step;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ref TVector p, ref TVector q, TVector b0, TVector b1)
    {
        p = TSimd.Add(p, b0);
        if (TColumns.Value > 1) q = TSimd.Add(q, b1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TVector p, TVector q, ref T* c, nint step)
    {
        TSimd.Store(c, p);
        if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q);
        c += step;
    }
}
