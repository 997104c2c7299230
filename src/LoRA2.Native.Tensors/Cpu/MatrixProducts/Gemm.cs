using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>
/// Matrix products of row-major matrices. A step (<c>lda</c>, <c>ldb</c>, <c>ldc</c>) is the number of elements between the starts of two
/// rows as they lie in memory; op(X) is X or Xᵀ. Sizes may be 0: a product over k = 0 leaves beta · C plus the epilogue. beta = 0
/// overwrites C unread. C must not overlap the operands. A result's bits do not depend on the number of threads; with more than 8 rows and
/// 12 columns they do not depend on whether B was packed either, and an element's not on the other rows and columns. Nothing is allocated
/// on the managed heap.
/// </summary>
internal static unsafe class Gemm
{
    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative, or a row is longer than the distance to the next.</exception>
    public static void Multiply<T>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Multiply(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, default);

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C + what <paramref name="epilogue"/> adds.</summary>
    /// <inheritdoc cref="Multiply{T}(bool, bool, int, int, int, T, T*, int, T*, int, T, T*, int)" path="/exception"/>
    public static void Multiply<T>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc,
        in Epilogue<T> epilogue)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        MatrixProduct<T> call = Call(transA, m, n, k, alpha, a, lda, beta, c, ldc);
        ArgumentOutOfRangeException.ThrowIfLessThan(ldb, transB ? k : n);
        epilogue.Check(n);
        if (m == 0 || n == 0) return;
        GemmPath<T>.Multiply(SimdPaths.Current, call, b, ldb, transB, epilogue);
    }

    /// <summary>
    /// C (m × n) = alpha · op(A) (m × k) · B (k × n) + beta · C + what <paramref name="epilogue"/> adds, with B packed before.
    /// </summary>
    /// <inheritdoc cref="Multiply{T}(bool, bool, int, int, int, T, T*, int, T*, int, T, T*, int)" path="/exception"/>
    public static void Multiply<T>(
        bool transA, int m, T alpha, T* a, int lda, PackedMatrix<T> b, T beta, T* c, int ldc, in Epilogue<T> epilogue)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        MatrixProduct<T> call = Call(transA, m, b.Columns, b.Rows, alpha, a, lda, beta, c, ldc);
        epilogue.Check(b.Columns);
        if (m == 0 || b.Columns == 0) return;
        GemmPath<T>.Multiply(call, b, epilogue);
    }

    /// <summary>Elements that <see cref="Pack"/> writes for B of <paramref name="k"/> × <paramref name="n"/>.</summary>
    public static nint PanelElements<T>(int k, int n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int width = GemmPath<T>.PanelColumns(SimdPaths.Current);
        return ((n + (nint)width - 1) / width) * width * k;
    }

    /// <summary>Packs op(B) (k × n) for products that follow each other at once, on this thread: what is kept longer is a <see cref="PackedMatrix{T}"/>.</summary>
    public static void Pack<T>(bool transB, int n, int k, T* b, int ldb, T* panels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PackPanels<T>.All(b, ldb, transB, k, n, GemmPath<T>.PanelColumns(SimdPaths.Current), panels);

    /// <summary>C (m × n) = A (m × k) · B (k × n) + beta · C + what <paramref name="epilogue"/> adds, with the panels that <see cref="Pack"/> wrote.</summary>
    public static void MultiplyPacked<T>(int m, int n, int k, T* a, int lda, T* panels, T beta, T* c, int ldc, in Epilogue<T> epilogue)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        MatrixProduct<T> call = Call(false, m, n, k, T.One, a, lda, beta, c, ldc);
        epilogue.Check(n);
        if (m == 0 || n == 0) return;
        GemmPath<T>.Multiply(SimdPaths.Current, call, panels, epilogue);
    }

    /// <summary>
    /// <paramref name="count"/> independent products; the operands of the next lie strideA, strideB, strideC elements on. They run on
    /// several threads, each product on one; inside a parallel region all run on the caller's.
    /// </summary>
    /// <inheritdoc cref="Multiply{T}(bool, bool, int, int, int, T, T*, int, T*, int, T, T*, int)" path="/exception"/>
    public static void Batched<T>(
        int count, bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, nint strideA,
        T* b, int ldb, nint strideB, T beta, T* c, int ldc, nint strideC)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        MatrixProduct<T> call = Call(transA, m, n, k, alpha, a, lda, beta, c, ldc);
        ArgumentOutOfRangeException.ThrowIfLessThan(ldb, transB ? k : n);
        if (m == 0 || n == 0) return;
        BatchTask<T>.RunAll(new BatchTask<T>(SimdPaths.Current, count, call, strideA, b, ldb, transB, strideB, strideC));
    }

    private static MatrixProduct<T> Call<T>(bool transA, int m, int n, int k, T alpha, T* a, int lda, T beta, T* c, int ldc)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var call = new MatrixProduct<T>
        {
            TransposedA = transA,
            Rows = m,
            Columns = n,
            Depth = k,
            Alpha = alpha,
            A = a,
            Lda = lda,
            Beta = beta,
            C = c,
            Ldc = ldc,
        };
        call.Check();
        return call;
    }
}
