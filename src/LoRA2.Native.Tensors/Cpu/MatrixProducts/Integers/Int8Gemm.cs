using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>
/// Products of float32 rows and a frozen weight in 8 bits: each row is rounded to integers by a scale of its own when it comes, the weight was by a scale for each column; integers are multiplied and added exactly, and
/// the sums take both scales in the epilogue. Rounded so, an element of B is off by at most its column's largest size / 254. One of A is off by at most its row's range / 510 where bytes are multiplied (AVX512-VNNI), and by
/// its row's largest size / (2 · <see cref="RowRounding.Levels"/>) elsewhere, which is 65,534 up to a depth of 516 and 254 at the largest: multiplying 16 bits costs nothing there. An element's bits depend on its row, its
/// column, what is added to it and which of the two it is alone. The low-rank term is computed in float32.
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
        bool hasUpdate = epilogue.Rank > 0;
        Epilogue<float> first = hasUpdate ? default : epilogue;
        if (b.IsOfBytes) ByteProduct(m, alpha, a, lda, b, beta, c, ldc, first);
        else PairProduct(m, alpha, a, lda, b, beta, c, ldc, first);
        GC.KeepAlive(b);
        if (!hasUpdate) return;
        // The update is a float32 product that adds to C, and what comes after it is that product's epilogue.
        Epilogue<float> rest = epilogue;
        rest.Rank = 0;
        Gemm.Multiply(
            false, epilogue.RightTransposed, m, n, epilogue.Rank, epilogue.LowRankScale, epilogue.Left, epilogue.LeftStride, epilogue.Right, epilogue.RightStride, 1, c, ldc, rest);
    }

    /// <summary>Rows of 16-bit integers, whose pairs are multiplied with the weight's: any vectors.</summary>
    private static void PairProduct(int m, float alpha, float* a, int lda, Int8PackedMatrix b, float beta, float* c, int ldc, in Epilogue<float> epilogue)
    {
        (int n, int k) = (b.Columns, b.Rows);
        nint step = 2 * (nint)b.Pairs;
        short* rounded = Scratch.Get<short>(ScratchUse.RoundedLeft, m * step);
        float* scales = Scratch.Get<float>(ScratchUse.RowScales, m);
        int together = Math.Max(1, RoundedTogether / Math.Max(1, k));
        ThreadTeam.Run((m + together - 1) / together, new RowRounding(a, lda, m, k, RowRounding.Levels(k), together, rounded, step, scales));
        Scale(scales, m, alpha);
        var tile = new Int8Tile { A = rounded, RowStep = step, B = b.Panels, Pairs = b.Pairs, RowScales = scales, ColumnScales = b.Scales, Bias = epilogue.Bias, Beta = beta, C = c, CStep = ldc };
        var task = new Int8Task(m, n, tile, epilogue, ThreadTeam.Available);
        ThreadTeam.Run(task.Parts, task);
    }

    /// <summary>Rows of bytes, multiplied four at a time: AVX512-VNNI.</summary>
    private static void ByteProduct(int m, float alpha, float* a, int lda, Int8PackedMatrix b, float beta, float* c, int ldc, in Epilogue<float> epilogue)
    {
        int k = b.Rows;
        byte* rounded = Scratch.Get<byte>(ScratchUse.RoundedLeft, TileShape.Slices(m) * ByteRounding.StripBytes(k));
        float* scales = Scratch.Get<float>(ScratchUse.RowScales, 2 * m), offsets = scales + m;
        int together = Math.Max(1, RoundedTogether / Math.Max(1, k));
        ThreadTeam.Run((m + together - 1) / together, new ByteRounding(a, lda, m, k, together, rounded, scales, offsets));
        Scale(scales, 2 * m, alpha);
        var result = new ByteEpilogue { RowScales = scales, RowOffsets = offsets, ColumnScales = b.Scales, ColumnSums = b.Sums, Bias = epilogue.Bias, Beta = beta, C = c, CStep = ldc };
        var task = new ByteTask(m, k, rounded, b, result, epilogue, ThreadTeam.Available);
        ThreadTeam.Run(task.Parts, task);
    }

    private static void Scale(float* scales, int count, float alpha)
    {
        if (alpha != 1) for (int i = 0; i < count; i++) scales[i] *= alpha;
    }
}
