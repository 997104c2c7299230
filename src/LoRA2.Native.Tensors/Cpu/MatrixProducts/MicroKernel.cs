using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// C = alpha · A·B + Left·Right + beta · C + bias for a tile of <typeparamref name="TRows"/> rows by <typeparamref name="TColumns"/> vectors that stays
/// in registers: each step of the sum loads one row of B and broadcasts one column of A. Each element is summed in the order of the depth,
/// whatever the tile's size, so an element's bits do not depend on where the tile's edges fall. beta = 0 does not read C.
/// </summary>
internal static unsafe class MicroKernel<T, TVector, TSimd, TRows, TColumns>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
    where TRows : unmanaged, IConstant
    where TColumns : unmanaged, IConstant
{
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
                    if (TColumns.Value > 1) Sse.Prefetch1(b + ahead + TSimd.Count);
                }

                b0 = TSimd.Load(b);
                if (TColumns.Value > 1) b1 = TSimd.Load(b + TSimd.Count);
                b += bStep;
                if (TRows.Value > 0) { x = TSimd.Broadcast(a[0]); p0 = TSimd.MultiplyAdd(x, b0, p0); if (TColumns.Value > 1) q0 = TSimd.MultiplyAdd(x, b1, q0); }
                if (TRows.Value > 1) { x = TSimd.Broadcast(a[row]); p1 = TSimd.MultiplyAdd(x, b0, p1); if (TColumns.Value > 1) q1 = TSimd.MultiplyAdd(x, b1, q1); }
                if (TRows.Value > 2) { x = TSimd.Broadcast(a[row2]); p2 = TSimd.MultiplyAdd(x, b0, p2); if (TColumns.Value > 1) q2 = TSimd.MultiplyAdd(x, b1, q2); }
                if (TRows.Value > 3) { x = TSimd.Broadcast(a[row3]); p3 = TSimd.MultiplyAdd(x, b0, p3); if (TColumns.Value > 1) q3 = TSimd.MultiplyAdd(x, b1, q3); }
                if (TRows.Value > 4) { x = TSimd.Broadcast(a4[0]); p4 = TSimd.MultiplyAdd(x, b0, p4); if (TColumns.Value > 1) q4 = TSimd.MultiplyAdd(x, b1, q4); }
                if (TRows.Value > 5) { x = TSimd.Broadcast(a4[row]); p5 = TSimd.MultiplyAdd(x, b0, p5); if (TColumns.Value > 1) q5 = TSimd.MultiplyAdd(x, b1, q5); }
                if (TRows.Value > 6) { x = TSimd.Broadcast(a4[row2]); p6 = TSimd.MultiplyAdd(x, b0, p6); if (TColumns.Value > 1) q6 = TSimd.MultiplyAdd(x, b1, q6); }
                if (TRows.Value > 7) { x = TSimd.Broadcast(a4[row3]); p7 = TSimd.MultiplyAdd(x, b0, p7); if (TColumns.Value > 1) q7 = TSimd.MultiplyAdd(x, b1, q7); }
                if (TRows.Value > 8) { x = TSimd.Broadcast(a8[0]); p8 = TSimd.MultiplyAdd(x, b0, p8); if (TColumns.Value > 1) q8 = TSimd.MultiplyAdd(x, b1, q8); }
                if (TRows.Value > 9) { x = TSimd.Broadcast(a8[row]); p9 = TSimd.MultiplyAdd(x, b0, p9); if (TColumns.Value > 1) q9 = TSimd.MultiplyAdd(x, b1, q9); }
                if (TRows.Value > 10) { x = TSimd.Broadcast(a8[row2]); p10 = TSimd.MultiplyAdd(x, b0, p10); if (TColumns.Value > 1) q10 = TSimd.MultiplyAdd(x, b1, q10); }
                if (TRows.Value > 11) { x = TSimd.Broadcast(a8[row3]); p11 = TSimd.MultiplyAdd(x, b0, p11); if (TColumns.Value > 1) q11 = TSimd.MultiplyAdd(x, b1, q11); }
                a += aStep;
                if (TRows.Value > 4) a4 += aStep;
                if (TRows.Value > 8) a8 += aStep;
            }

            if (second) break;
            second = true;
            if (tile->Alpha != T.One)
            {
                x = TSimd.Broadcast(tile->Alpha);
                if (TRows.Value > 0) { p0 = TSimd.Multiply(p0, x); if (TColumns.Value > 1) q0 = TSimd.Multiply(q0, x); }
                if (TRows.Value > 1) { p1 = TSimd.Multiply(p1, x); if (TColumns.Value > 1) q1 = TSimd.Multiply(q1, x); }
                if (TRows.Value > 2) { p2 = TSimd.Multiply(p2, x); if (TColumns.Value > 1) q2 = TSimd.Multiply(q2, x); }
                if (TRows.Value > 3) { p3 = TSimd.Multiply(p3, x); if (TColumns.Value > 1) q3 = TSimd.Multiply(q3, x); }
                if (TRows.Value > 4) { p4 = TSimd.Multiply(p4, x); if (TColumns.Value > 1) q4 = TSimd.Multiply(q4, x); }
                if (TRows.Value > 5) { p5 = TSimd.Multiply(p5, x); if (TColumns.Value > 1) q5 = TSimd.Multiply(q5, x); }
                if (TRows.Value > 6) { p6 = TSimd.Multiply(p6, x); if (TColumns.Value > 1) q6 = TSimd.Multiply(q6, x); }
                if (TRows.Value > 7) { p7 = TSimd.Multiply(p7, x); if (TColumns.Value > 1) q7 = TSimd.Multiply(q7, x); }
                if (TRows.Value > 8) { p8 = TSimd.Multiply(p8, x); if (TColumns.Value > 1) q8 = TSimd.Multiply(q8, x); }
                if (TRows.Value > 9) { p9 = TSimd.Multiply(p9, x); if (TColumns.Value > 1) q9 = TSimd.Multiply(q9, x); }
                if (TRows.Value > 10) { p10 = TSimd.Multiply(p10, x); if (TColumns.Value > 1) q10 = TSimd.Multiply(q10, x); }
                if (TRows.Value > 11) { p11 = TSimd.Multiply(p11, x); if (TColumns.Value > 1) q11 = TSimd.Multiply(q11, x); }
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
            x = TSimd.Broadcast(tile->Beta);
            if (TRows.Value > 0) { p0 = TSimd.MultiplyAdd(x, TSimd.Load(c), p0); if (TColumns.Value > 1) q0 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q0); c += cStep; }
            if (TRows.Value > 1) { p1 = TSimd.MultiplyAdd(x, TSimd.Load(c), p1); if (TColumns.Value > 1) q1 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q1); c += cStep; }
            if (TRows.Value > 2) { p2 = TSimd.MultiplyAdd(x, TSimd.Load(c), p2); if (TColumns.Value > 1) q2 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q2); c += cStep; }
            if (TRows.Value > 3) { p3 = TSimd.MultiplyAdd(x, TSimd.Load(c), p3); if (TColumns.Value > 1) q3 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q3); c += cStep; }
            if (TRows.Value > 4) { p4 = TSimd.MultiplyAdd(x, TSimd.Load(c), p4); if (TColumns.Value > 1) q4 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q4); c += cStep; }
            if (TRows.Value > 5) { p5 = TSimd.MultiplyAdd(x, TSimd.Load(c), p5); if (TColumns.Value > 1) q5 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q5); c += cStep; }
            if (TRows.Value > 6) { p6 = TSimd.MultiplyAdd(x, TSimd.Load(c), p6); if (TColumns.Value > 1) q6 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q6); c += cStep; }
            if (TRows.Value > 7) { p7 = TSimd.MultiplyAdd(x, TSimd.Load(c), p7); if (TColumns.Value > 1) q7 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q7); c += cStep; }
            if (TRows.Value > 8) { p8 = TSimd.MultiplyAdd(x, TSimd.Load(c), p8); if (TColumns.Value > 1) q8 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q8); c += cStep; }
            if (TRows.Value > 9) { p9 = TSimd.MultiplyAdd(x, TSimd.Load(c), p9); if (TColumns.Value > 1) q9 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q9); c += cStep; }
            if (TRows.Value > 10) { p10 = TSimd.MultiplyAdd(x, TSimd.Load(c), p10); if (TColumns.Value > 1) q10 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q10); c += cStep; }
            if (TRows.Value > 11) { p11 = TSimd.MultiplyAdd(x, TSimd.Load(c), p11); if (TColumns.Value > 1) q11 = TSimd.MultiplyAdd(x, TSimd.Load(c + TSimd.Count), q11); c += cStep; }
            c = tile->C;
        }

        if (tile->Bias != null)
        {
            b0 = TSimd.Load(tile->Bias);
            if (TColumns.Value > 1) b1 = TSimd.Load(tile->Bias + TSimd.Count);
            if (TRows.Value > 0) { p0 = TSimd.Add(p0, b0); if (TColumns.Value > 1) q0 = TSimd.Add(q0, b1); }
            if (TRows.Value > 1) { p1 = TSimd.Add(p1, b0); if (TColumns.Value > 1) q1 = TSimd.Add(q1, b1); }
            if (TRows.Value > 2) { p2 = TSimd.Add(p2, b0); if (TColumns.Value > 1) q2 = TSimd.Add(q2, b1); }
            if (TRows.Value > 3) { p3 = TSimd.Add(p3, b0); if (TColumns.Value > 1) q3 = TSimd.Add(q3, b1); }
            if (TRows.Value > 4) { p4 = TSimd.Add(p4, b0); if (TColumns.Value > 1) q4 = TSimd.Add(q4, b1); }
            if (TRows.Value > 5) { p5 = TSimd.Add(p5, b0); if (TColumns.Value > 1) q5 = TSimd.Add(q5, b1); }
            if (TRows.Value > 6) { p6 = TSimd.Add(p6, b0); if (TColumns.Value > 1) q6 = TSimd.Add(q6, b1); }
            if (TRows.Value > 7) { p7 = TSimd.Add(p7, b0); if (TColumns.Value > 1) q7 = TSimd.Add(q7, b1); }
            if (TRows.Value > 8) { p8 = TSimd.Add(p8, b0); if (TColumns.Value > 1) q8 = TSimd.Add(q8, b1); }
            if (TRows.Value > 9) { p9 = TSimd.Add(p9, b0); if (TColumns.Value > 1) q9 = TSimd.Add(q9, b1); }
            if (TRows.Value > 10) { p10 = TSimd.Add(p10, b0); if (TColumns.Value > 1) q10 = TSimd.Add(q10, b1); }
            if (TRows.Value > 11) { p11 = TSimd.Add(p11, b0); if (TColumns.Value > 1) q11 = TSimd.Add(q11, b1); }
        }

        if (TRows.Value > 0) { TSimd.Store(c, p0); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q0); c += cStep; }
        if (TRows.Value > 1) { TSimd.Store(c, p1); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q1); c += cStep; }
        if (TRows.Value > 2) { TSimd.Store(c, p2); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q2); c += cStep; }
        if (TRows.Value > 3) { TSimd.Store(c, p3); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q3); c += cStep; }
        if (TRows.Value > 4) { TSimd.Store(c, p4); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q4); c += cStep; }
        if (TRows.Value > 5) { TSimd.Store(c, p5); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q5); c += cStep; }
        if (TRows.Value > 6) { TSimd.Store(c, p6); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q6); c += cStep; }
        if (TRows.Value > 7) { TSimd.Store(c, p7); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q7); c += cStep; }
        if (TRows.Value > 8) { TSimd.Store(c, p8); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q8); c += cStep; }
        if (TRows.Value > 9) { TSimd.Store(c, p9); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q9); c += cStep; }
        if (TRows.Value > 10) { TSimd.Store(c, p10); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q10); c += cStep; }
        if (TRows.Value > 11) { TSimd.Store(c, p11); if (TColumns.Value > 1) TSimd.Store(c + TSimd.Count, q11); c += cStep; }
    }
}
