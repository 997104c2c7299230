using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>
/// The operands of a <see cref="GemmCase"/> in guarded memory, the product itself, and a plain product in double precision as its oracle.
/// </summary>
internal sealed unsafe class GemmOperands<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly GemmCase shape;
    private readonly GuardedMemory<T> a;
    private readonly GuardedMemory<T> b;
    private readonly GuardedMemory<T> c;
    private readonly GuardedMemory<T> bias;
    private readonly GuardedMemory<T> left;
    private readonly GuardedMemory<T> right;
    private readonly GuardedMemory<T> residual;
    private readonly GuardedMemory<T> activated;
    private readonly T[] initial;

    public GemmOperands(GemmCase shape)
    {
        this.shape = shape;
        a = Allocate(shape.TransA ? shape.K : shape.M, shape.TransA ? shape.M : shape.K, shape.Lda);
        b = Allocate(shape.TransB ? shape.N : shape.K, shape.TransB ? shape.K : shape.N, shape.Ldb);
        c = Allocate(shape.M, shape.N, shape.Ldc);
        bias = Allocate(1, shape.N, shape.N);
        left = Allocate(shape.M, shape.Rank, shape.Rank);
        right = Allocate(shape.RightTransposed ? shape.N : shape.Rank, shape.RightTransposed ? shape.Rank : shape.N, RightStride);
        residual = Allocate(shape.M, shape.N, ResidualStride);
        activated = Allocate(shape.M, shape.N, shape.Ldc);
        var random = new Random(shape.Seed);
        foreach (GuardedMemory<T> memory in new[] { a, b, c, bias, left, right, residual })
        {
            foreach (ref T value in memory.Span) value = T.CreateChecked(random.NextDouble() * 2 - 1);
        }

        if (shape.Beta == 0) c.Span.Fill(T.NaN);
        initial = c.Span.ToArray();
    }

    private int ResidualStride => shape.N + shape.PadA;

    private int RightStride => shape.RightTransposed ? shape.Rank : shape.N;

    /// <summary>Runs the product on <paramref name="threads"/> threads and returns C with its padding, followed by gelu(C) if it was written.</summary>
    public T[] Run(int threads, bool packed) => Run(threads, epilogue =>
    {
        T alpha = T.CreateChecked(shape.Alpha), beta = T.CreateChecked(shape.Beta);
        if (packed)
        {
            using var operand = new PackedMatrix<T>(b.Data, shape.Ldb, shape.K, shape.N, shape.TransB);
            Gemm.Multiply(shape.TransA, shape.M, alpha, a.Data, shape.Lda, operand, beta, c.Data, shape.Ldc, epilogue);
        }
        else
        {
            Gemm.Multiply(
                shape.TransA, shape.TransB, shape.M, shape.N, shape.K, alpha, a.Data, shape.Lda, b.Data, shape.Ldb,
                beta, c.Data, shape.Ldc, epilogue);
        }
    });

    /// <summary>As <see cref="Run(int, bool)"/>, with operands of bfloat16 terms.</summary>
    public T[] Run(int threads, bool packed, Precision precision, BFloat16Path path) => Run(threads, added =>
    {
        Epilogue<float> epilogue = Unsafe.BitCast<Epilogue<T>, Epilogue<float>>(added);
        (float alpha, float beta) = ((float)shape.Alpha, (float)shape.Beta);
        float* pa = (float*)a.Data, pb = (float*)b.Data, pc = (float*)c.Data;
        BFloat16Paths.Forced = path;
        try
        {
            if (packed)
            {
                using var operand = new BFloat16PackedMatrix(pb, shape.Ldb, shape.K, shape.N, shape.TransB, precision);
                BFloat16Gemm.Multiply(shape.TransA, shape.M, alpha, pa, shape.Lda, operand, beta, pc, shape.Ldc, epilogue);
            }
            else
            {
                BFloat16Gemm.Multiply(
                    precision, shape.TransA, shape.TransB, shape.M, shape.N, shape.K, alpha, pa, shape.Lda, pb, shape.Ldb,
                    beta, pc, shape.Ldc, epilogue);
            }
        }
        finally
        {
            BFloat16Paths.Forced = null;
        }
    });

    private T[] Run(int threads, Action<Epilogue<T>> multiply)
    {
        initial.CopyTo(c.Span);
        activated.Span.Clear();
        var epilogue = new Epilogue<T>
        {
            Bias = shape.Bias ? bias.Data : null,
            Left = left.Data,
            LeftStride = shape.Rank,
            Right = right.Data,
            RightStride = RightStride,
            RightTransposed = shape.RightTransposed,
            Rank = shape.Rank,
            LowRankScale = T.CreateChecked(0.5),
            Residual = shape.Residual ? residual.Data : null,
            ResidualStride = ResidualStride,
            Activated = shape.Activated ? activated.Data : null,
            Activation = Activation.Gelu,
        };
        int before = ThreadTeam.Count;
        SimdPaths.Forced = shape.Path;
        try
        {
            ThreadTeam.Count = threads;
            multiply(epilogue);
        }
        finally
        {
            SimdPaths.Forced = null;
            ThreadTeam.Count = before;
        }

        return shape.Activated ? [.. c.Span, .. activated.Span] : c.Span.ToArray();
    }

    /// <summary>
    /// Checks a result of <see cref="Run(int, bool)"/> against the sum written out, to within the rounding of sums of that length, and errors of the
    /// operands' products relative to their magnitudes: <paramref name="mainError"/>, and <paramref name="lowRankError"/> of the low-rank update.
    /// </summary>
    public void Check(T[] result, double mainError = 0, double lowRankError = 0)
    {
        double epsilon = typeof(T) == typeof(float) ? Math.Pow(2, -24) : Math.Pow(2, -53);
        double scale = 2 * epsilon * (shape.K + shape.Rank + 5);
        double[] x = Rows(a, shape.M, shape.K, shape.Lda, shape.TransA), y = Rows(b, shape.N, shape.K, shape.Ldb, !shape.TransB);
        double[] l = Rows(left, shape.M, shape.Rank, shape.Rank, false);
        double[] r = Rows(right, shape.N, shape.Rank, RightStride, !shape.RightTransposed);
        for (int i = 0; i < shape.M; i++)
        {
            for (int j = 0; j < shape.Ldc && i * shape.Ldc + j < initial.Length; j++)
            {
                T actual = result[i * shape.Ldc + j], before = initial[i * shape.Ldc + j];
                if (j >= shape.N)
                {
                    Assert.True(actual.Equals(before), $"{shape}: padding at ({i}, {j}) was overwritten");
                    if (shape.Activated) Assert.Equal(T.Zero, result[initial.Length + i * shape.Ldc + j]);
                    continue;
                }

                (double sum, double magnitude) = Dot(x.AsSpan(i * shape.K, shape.K), y.AsSpan(j * shape.K, shape.K));
                (double low, double lowMagnitude) = Dot(l.AsSpan(i * shape.Rank, shape.Rank), r.AsSpan(j * shape.Rank, shape.Rank));
                double rest = shape.Beta == 0 ? 0 : shape.Beta * double.CreateChecked(before);
                double added = shape.Bias ? double.CreateChecked(bias.Data[j]) : 0;
                double second = shape.Residual ? double.CreateChecked(residual.Data[i * ResidualStride + j]) : 0;
                double expected = shape.Alpha * sum + 0.5 * low + rest + added + second;
                double tolerance = scale * (Math.Abs(shape.Alpha) * magnitude + 0.5 * lowMagnitude + Math.Abs(rest) + Math.Abs(added) + Math.Abs(second));
                tolerance += mainError * Math.Abs(shape.Alpha) * magnitude + lowRankError * 0.5 * lowMagnitude;
                double error = Math.Abs(double.CreateChecked(actual) - expected);
                Assert.True(error <= tolerance, $"{shape}: ({i}, {j}) is {actual}, not {expected}");
                if (shape.Activated) CheckActivation(actual, result[initial.Length + i * shape.Ldc + j]);
            }
        }
    }

    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
        c.Dispose();
        bias.Dispose();
        left.Dispose();
        right.Dispose();
        residual.Dispose();
        activated.Dispose();
    }

    /// <summary>gelu alone, on the same element, must give the same bits.</summary>
    private void CheckActivation(T value, T found)
    {
        T expected;
        SimdPaths.Forced = shape.Path;
        Activations.Forward(Activation.Gelu, &value, 1, &expected);
        SimdPaths.Forced = null;
        Assert.Equal(expected, found);
    }

    private static (double Sum, double Magnitude) Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double sum = 0, magnitude = 0;
        for (int p = 0; p < x.Length; p++)
        {
            double term = x[p] * y[p];
            sum += term;
            magnitude += Math.Abs(term);
        }

        return (sum, magnitude);
    }

    /// <summary>A matrix (or its transpose) as dense rows of doubles.</summary>
    private static double[] Rows(GuardedMemory<T> memory, int rows, int columns, int step, bool transposed)
    {
        var dense = new double[rows * columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                T value = transposed ? memory.Data[j * step + i] : memory.Data[i * step + j];
                dense[i * columns + j] = double.CreateChecked(value);
            }
        }

        return dense;
    }

    /// <summary>
    /// Memory of rows <paramref name="step"/> apart that ends with the last row's last element, as a view into a larger matrix may.
    /// </summary>
    private GuardedMemory<T> Allocate(int rows, int columns, int step) =>
        new(rows == 0 || columns == 0 ? 0 : (long)(rows - 1) * step + columns, shape.GuardStart);
}
