using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Matrix products, and the packed forms that frozen weights keep.</content>
internal sealed unsafe partial class CpuKernels
{
    private static readonly Lock Packing = new();

    public override void MatMul(
        Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha = 1, double beta = 0, Epilogue epilogue = default, Precision precision = Precision.Float32)
    {
        if (epilogue.Down is { } down) MatMul(a, transposeA, down, epilogue.DownTransposed, epilogue.Left!);
        if (IsDouble(c)) MatMulOf<double>(a, transposeA, b, transposeB, c, alpha, beta, epilogue);
        else if (precision == Precision.Int8 && b.IsConstant && transposeB && !transposeA && b.Shape.Columns <= Int8PackedMatrix.MostRows) Int8MatMul(a, b, c, (float)alpha, (float)beta, epilogue);
        else if (precision is Precision.Float32 or Precision.Int8) MatMulOf<float>(a, transposeA, b, transposeB, c, alpha, beta, epilogue);
        else RoundedMatMul(a, transposeA, b, transposeB, c, (float)alpha, (float)beta, epilogue, precision);
        Keep(a, b, c, epilogue.Bias, epilogue.Left, epilogue.Right, epilogue.Residual, epilogue.Activated);
    }

    public override void BatchedMatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        if (IsDouble(c)) BatchedOf<double>(a, transposeA, b, transposeB, c);
        else BatchedOf<float>(a, transposeA, b, transposeB, c);
        Keep(a, b, c);
    }

    private static void MatMulOf<T>(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha, double beta, Epilogue epilogue)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = (c.Shape.Rows, c.Shape.Columns);
        int k = transposeA ? a.Shape.Rows : a.Shape.Columns;
        Epilogue<T> added = Added<T>(epilogue, n);
        T* pa = (T*)a.Pointer;
        T* pc = (T*)c.Pointer;
        (T scale, T keep) = (T.CreateTruncating(alpha), T.CreateTruncating(beta));
        if (b.IsConstant)
        {
            PackedMatrix<T> packed = Packed<T>(b, transposeB, k, n);
            Gemm.Multiply(transposeA, m, scale, pa, a.Shape.Columns, packed, keep, pc, n, added);
            GC.KeepAlive(packed);
            return;
        }

        Gemm.Multiply(transposeA, transposeB, m, n, k, scale, pa, a.Shape.Columns, (T*)b.Pointer, b.Shape.Columns, keep, pc, n, added);
    }

    /// <summary>Float32 tensors whose products are rounded; b may be kept rounded.</summary>
    private static void RoundedMatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, float alpha, float beta, Epilogue epilogue, Precision precision)
    {
        (int m, int n) = (c.Shape.Rows, c.Shape.Columns);
        int k = transposeA ? a.Shape.Rows : a.Shape.Columns;
        Epilogue<float> added = Added<float>(epilogue, n);
        if (!b.IsConstant)
        {
            BFloat16Gemm.Multiply(precision, transposeA, transposeB, m, n, k, alpha, a.F32, a.Shape.Columns, b.F32, b.Shape.Columns, beta, c.F32, n, added);
            return;
        }

        BFloat16PackedMatrix packed = Rounded(b, transposeB, k, n, precision);
        BFloat16Gemm.Multiply(transposeA, m, alpha, a.F32, a.Shape.Columns, packed, beta, c.F32, n, added);
        GC.KeepAlive(packed);
    }

    /// <summary>A layer's product with its frozen weight [out, in] in 8 bits.</summary>
    private static void Int8MatMul(Tensor a, Tensor b, Tensor c, float alpha, float beta, Epilogue epilogue)
    {
        (int m, int n) = (c.Shape.Rows, c.Shape.Columns);
        Int8PackedMatrix packed = Kept(b, 1, default(ValueTuple), static (kept, _) => kept.IsCurrent, static (weight, _) => new Int8PackedMatrix(weight.F32, weight.Shape.Columns, weight.Shape.Columns, weight.Shape.Rows));
        Int8Gemm.Multiply(m, alpha, a.F32, a.Shape.Columns, packed, beta, c.F32, n, Added<float>(epilogue, n));
    }

    /// <summary>
    /// What is kept with a frozen tensor in a slot of its cache if it will do, else made anew by one of the threads that ask. What is replaced, which only tests bring about, may still be in use: the collector
    /// frees it. The state is handed through, since a closure would be made at every product.
    /// </summary>
    private static T Kept<T, TState>(Tensor b, int slot, TState state, Func<T, TState, bool> isCurrent, Func<Tensor, TState, T> make)
        where T : class, IDisposable
        where TState : struct
    {
        if (b.BackendCache is { } cache && Volatile.Read(ref cache[slot]) is T found && isCurrent(found, state)) return found;
        lock (Packing)
        {
            cache = b.BackendCache ??= new IDisposable?[2];
            if (cache[slot] is T packed && isCurrent(packed, state)) return packed;
            packed = make(b, state);
            Volatile.Write(ref cache[slot], packed);
            return packed;
        }
    }

    private static Epilogue<T> Added<T>(in Epilogue epilogue, int n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var added = new Epilogue<T>
        {
            Bias = epilogue.Bias is { } bias ? (T*)bias.Pointer : null,
            LowRankScale = T.CreateTruncating(epilogue.Scale),
            Residual = epilogue.Residual is { } residual ? (T*)residual.Pointer : null,
            ResidualStride = n,
            Activated = epilogue.Activated is { } activated ? (T*)activated.Pointer : null,
            Activation = epilogue.Activation,
        };
        if (epilogue.Left is { } left && epilogue.Right is { } right)
        {
            added.Rank = left.Shape.Columns;
            added.Left = (T*)left.Pointer;
            added.LeftStride = added.Rank;
            added.Right = (T*)right.Pointer;
            added.RightTransposed = epilogue.RightTransposed;
            added.RightStride = epilogue.RightTransposed ? added.Rank : n;
        }

        return added;
    }

    /// <summary>The panels of a frozen operand, packed the first time each of its two orientations is used.</summary>
    private static PackedMatrix<T> Packed<T>(Tensor b, bool transposed, int rows, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Kept(
            b,
            transposed ? 1 : 0,
            (Transposed: transposed, Rows: rows, Columns: columns),
            static (PackedMatrix<T> packed, (bool Transposed, int Rows, int Columns) _) => packed.Path == SimdPaths.Current,
            static (weight, wanted) => new PackedMatrix<T>((T*)weight.Pointer, weight.Shape.Columns, wanted.Rows, wanted.Columns, wanted.Transposed));

    /// <summary>The same in a precision of bfloat16 terms.</summary>
    private static BFloat16PackedMatrix Rounded(Tensor b, bool transposed, int rows, int columns, Precision precision) =>
        Kept(
            b,
            transposed ? 1 : 0,
            (Transposed: transposed, Rows: rows, Columns: columns, Precision: precision),
            static (BFloat16PackedMatrix packed, (bool Transposed, int Rows, int Columns, Precision Precision) wanted) => packed.Precision == wanted.Precision && packed.IsCurrent,
            static (weight, wanted) => weight.DType == DType.BFloat16
                ? new BFloat16PackedMatrix((ushort*)weight.Pointer, weight.Shape.Columns, wanted.Rows, wanted.Columns, wanted.Transposed, wanted.Precision)
                : new BFloat16PackedMatrix(weight.F32, weight.Shape.Columns, wanted.Rows, wanted.Columns, wanted.Transposed, wanted.Precision));

    private static void BatchedOf<T>(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = (c.Shape[^2], c.Shape[^1]);
        int k = transposeA ? a.Shape[^2] : a.Shape[^1];
        if (m == 0 || n == 0) return;
        Gemm.Batched(
            c.Count / (m * n), transposeA, transposeB, m, n, k, T.One, (T*)a.Pointer, a.Shape[^1], (nint)m * k, (T*)b.Pointer, b.Shape[^1], (nint)k * n, T.Zero, (T*)c.Pointer, n, (nint)m * n);
    }
}
