namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Products of float32 rows and a frozen weight in 8 bits: each row is rounded to integers by a scale of its own when it comes, the weight was by a scale for each column; integers are multiplied and added exactly, and
/// the sums take both scales in the epilogue. Rounded so, an element of B is off by at most its column's largest size / 254, one of A by its row's / (2 · <see cref="RowRounding.Levels"/>), which is 65,534 up to a depth of
/// 516 and 254 at the largest; an element's bits depend on its row, its column and what is added to it alone. The low-rank term is computed in float32.
/// </summary>
internal static unsafe class Int8Gemm
{
    /// <summary>Elements of A that a thread rounds at a time.</summary>
    private const int RoundedTogether = 16 * 1024;

    /// <summary>C (m × n) = alpha · A (m × k) · B (k × n) + beta · C + what <paramref name="epilogue"/> adds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative, or a row is longer than the distance to the next.</exception>
    public static void Multiply(int m, float alpha, float* a, int lda, Int8PackedMatrix b, float beta, float* c, int ldc, in Epilogue<float> epilogue)
    {
        (int n, int k) = (b.Columns, b.Rows);
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfLessThan(lda, k);
        ArgumentOutOfRangeException.ThrowIfLessThan(ldc, n);
        epilogue.Check(n);
        if (m == 0 || n == 0) return;
        nint step = 2 * (nint)b.Pairs;
        short* rounded = Scratch.Get<short>(ScratchUse.RoundedLeft, m * step);
        float* scales = Scratch.Get<float>(ScratchUse.RowScales, m);
        int together = Math.Max(1, RoundedTogether / Math.Max(1, k));
        ThreadTeam.Run((m + together - 1) / together, new RowRounding(a, lda, m, k, RowRounding.Levels(k), together, rounded, step, scales));
        if (alpha != 1) for (int i = 0; i < m; i++) scales[i] *= alpha;
        bool hasUpdate = epilogue.Rank > 0;
        var tile = new Int8Tile { A = rounded, RowStep = step, B = b.Panels, Pairs = b.Pairs, RowScales = scales, ColumnScales = b.Scales, Bias = hasUpdate ? null : epilogue.Bias, Beta = beta, C = c, CStep = ldc };
        var task = new Int8Task(m, n, tile, hasUpdate ? default : epilogue, ThreadTeam.Available);
        ThreadTeam.Run(task.Parts, task);
        GC.KeepAlive(b);
        if (!hasUpdate) return;
        // The update is a float32 product that adds to C, and what comes after it is that product's epilogue.
        Epilogue<float> rest = epilogue;
        rest.Rank = 0;
        Gemm.Multiply(
            false, epilogue.RightTransposed, m, n, epilogue.Rank, epilogue.LowRankScale, epilogue.Left, epilogue.LeftStride, epilogue.Right, epilogue.RightStride, 1, c, ldc, rest);
    }
}
