using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Matrix products of float32 matrices whose operands are rounded to bfloat16, or split into two or three bfloat16 terms, with sums in float32.
/// Steps, sizes, beta and the epilogue are as in <see cref="Gemm"/>; C must not overlap the operands. Nothing is allocated on the managed
/// heap.
/// </summary>
/// <remarks>
/// <para>
/// The precision is a <see cref="Precision"/> of bfloat16 terms. On the tile unit and with AVX512-BF16 an element's bits depend on its row of op(A), its column of
/// op(B) and what is added to it: neither on the number of threads, nor on the other rows, nor on whether B was packed. Alpha multiplies A
/// before it is rounded. The low-rank update is computed with two terms of each factor (three for BFloat16x6) in every precision; an update of
/// zero leaves the bits as without one. Denormal operands and sums count as zero. An infinite element gives infinity or NaN.
/// </para>
/// <para>
/// Errors relative to Σ|a||b|, at most: 2⁻⁷ in BFloat16, 3 · 2⁻¹⁶ in BFloat16x3, 2⁻²¹ in BFloat16x6, and the rounding of the sums. Measured
/// against double precision over 768 terms drawn from a uniform distribution, the largest of 4,096 elements: 2⁻¹¹, 2⁻²⁰ and 2⁻²³·⁵, about what the
/// float32 product has. Sums are float32 and rounded to nearest: a tile product sums 32 terms from zero and
/// then adds them to the rest; AVX512-BF16 adds two products at a time to one sum.
/// </para>
/// <para>
/// Without either BFloat16 is the float32 product of the rounded operands. BFloat16x3 and BFloat16x6, which are there for speed,
/// are the float32 product itself without a tile unit.
/// </para>
/// </remarks>
internal static unsafe class BFloat16Gemm
{
    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C + what <paramref name="epilogue"/> adds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative, a row is longer than the distance to the next, or the precision is
    /// float32.</exception>
    public static void Multiply(
        Precision precision, bool transA, bool transB, int m, int n, int k, float alpha, float* a, int lda, float* b, int ldb,
        float beta, float* c, int ldc, in Epilogue<float> epilogue)
    {
        Check(transA, m, n, k, lda, ldc, epilogue);
        int terms = TileShape.Terms(precision);
        ArgumentOutOfRangeException.ThrowIfLessThan(ldb, transB ? k : n);
        if (m == 0 || n == 0) return;
        BFloat16Path path = BFloat16Paths.Of(precision);
        if (path != BFloat16Path.Vector)
        {
            TileProduct<float> product = Product(path, transA, m, n, k, terms, alpha, a, lda, beta, c, ldc);
            TileDriver<float, FloatSource>.Multiply(product, b, ldb, transB, epilogue);
            return;
        }

        if (precision == Precision.BFloat16)
        {
            a = RoundedCopy.Of(a, transA ? k : m, transA ? m : k, ref lda, ScratchUse.RoundedLeft);
            b = RoundedCopy.Of(b, transB ? n : k, transB ? k : n, ref ldb, ScratchUse.RoundedRight);
        }

        Gemm.Multiply(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, epilogue);
    }

    /// <summary>
    /// C (m × n) = alpha · op(A) (m × k) · B (k × n) + beta · C + what <paramref name="epilogue"/> adds, with B packed before, in its precision.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative, or a row is longer than the distance to the next.</exception>
    public static void Multiply(
        bool transA, int m, float alpha, float* a, int lda, BFloat16PackedMatrix b, float beta, float* c, int ldc, in Epilogue<float> epilogue)
    {
        (int n, int k) = (b.Columns, b.Rows);
        Check(transA, m, n, k, lda, ldc, epilogue);
        if (m == 0 || n == 0) return;
        if (b.Path != BFloat16Path.Vector)
        {
            TileProduct<float> product = Product(b.Path, transA, m, n, k, TileShape.Terms(b.Precision), alpha, a, lda, beta, c, ldc);
            TileDriver<float, FloatSource>.Multiply(product, b.Panels, epilogue);
        }
        else
        {
            if (b.Precision == Precision.BFloat16) a = RoundedCopy.Of(a, transA ? k : m, transA ? m : k, ref lda, ScratchUse.RoundedLeft);
            Gemm.Multiply(transA, m, alpha, a, lda, b.Rounded, beta, c, ldc, epilogue);
        }

        GC.KeepAlive(b);
    }

    /// <summary>
    /// C (m × n) = alpha · op(A) (m × k) · B (k × n) + beta · C + what <paramref name="epilogue"/> adds, with A stored as bfloat16 and B packed
    /// before, in its precision.
    /// </summary>
    /// <inheritdoc cref="Multiply(bool, int, float, float*, int, BFloat16PackedMatrix, float, float*, int, in Epilogue{float})" path="/exception"/>
    public static void Multiply(
        bool transA, int m, float alpha, ushort* a, int lda, BFloat16PackedMatrix b, float beta, float* c, int ldc, in Epilogue<float> epilogue)
    {
        (int n, int k) = (b.Columns, b.Rows);
        Check(transA, m, n, k, lda, ldc, epilogue);
        if (m == 0 || n == 0) return;
        if (b.Path != BFloat16Path.Vector)
        {
            TileProduct<ushort> product = Product(b.Path, transA, m, n, k, TileShape.Terms(b.Precision), alpha, a, lda, beta, c, ldc);
            TileDriver<ushort, BFloat16Source>.Multiply(product, b.Panels, epilogue);
        }
        else
        {
            float* wide = RoundedCopy.Of(a, transA ? k : m, transA ? m : k, ref lda, ScratchUse.RoundedLeft);
            Gemm.Multiply(transA, m, alpha, wide, lda, b.Rounded, beta, c, ldc, epilogue);
        }

        GC.KeepAlive(b);
    }

    private static void Check(bool transA, int m, int n, int k, int lda, int ldc, in Epilogue<float> epilogue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        ArgumentOutOfRangeException.ThrowIfLessThan(lda, transA ? m : k);
        ArgumentOutOfRangeException.ThrowIfLessThan(ldc, n);
        epilogue.Check(n);
    }

    private static TileProduct<T> Product<T>(
        BFloat16Path path, bool transA, int m, int n, int k, int terms, float alpha, T* a, int lda, float beta, float* c, int ldc)
        where T : unmanaged => new()
        {
            Path = path,
            Rows = m,
            Columns = n,
            Depth = k,
            Terms = terms,
            A = a,
            AStep = lda,
            TransposedA = transA,
            Alpha = alpha,
            Beta = beta,
            C = c,
            CStep = ldc,
        };
}
