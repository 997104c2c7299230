using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Tests.Cpu;

[Collection(ThreadCountCollection.Name)]
public sealed unsafe class BFloat16GemmContractTests
{
    private const int M = 64, N = 64, K = 768;

    /// <summary>The figures that <see cref="BFloat16Gemm"/> states, as errors relative to the sum of the products' magnitudes.</summary>
    [Fact]
    public void ErrorsAreWhatTheDocumentationStates() => OnEveryPath(() =>
    {
        float[] a = Random(M * K, 1), b = Random(K * N, 2), c = new float[M * N];
        fixed (float* pa = a, pb = b, pc = c)
        {
            Gemm.Multiply(false, false, M, N, K, 1f, pa, K, pb, N, 0f, pc, N);
            Assert.InRange(LargestError(a, b, c), 0, Math.Pow(2, -23));
            foreach ((Precision precision, double stated) in new[]
                { (Precision.BFloat16, Math.Pow(2, -10)), (Precision.BFloat16x3, Math.Pow(2, -19)), (Precision.BFloat16x6, Math.Pow(2, -23)) })
            {
                BFloat16Gemm.Multiply(precision, false, false, M, N, K, 1, pa, K, pb, N, 0, pc, N, default);
                Assert.InRange(LargestError(a, b, c), 0, stated);
            }
        }
    });

    [Fact]
    public void OperandsStoredAsBFloat16GiveTheBitsOfTheirValues() => OnEveryPath(() =>
    {
        float[] a = Random(M * K, 1), b = Random(K * N, 2), expected = new float[M * N], actual = new float[M * N];
        var narrowA = new ushort[M * K];
        var narrowB = new ushort[K * N];
        fixed (float* pa = a, pb = b, pe = expected, pc = actual)
        fixed (ushort* na = narrowA, nb = narrowB)
        {
            Conversion.FloatToBFloat16(pa, M * K, na);
            Conversion.FloatToBFloat16(pb, K * N, nb);
            foreach (bool transposed in new[] { false, true })
            {
                int step = transposed ? K : N;
                using var packed = new BFloat16PackedMatrix(pb, step, K, N, transposed, Precision.BFloat16);
                using var narrow = new BFloat16PackedMatrix(nb, step, K, N, transposed, Precision.BFloat16);
                BFloat16Gemm.Multiply(false, M, 1, pa, K, packed, 0, pe, N, default);
                BFloat16Gemm.Multiply(false, M, 1, na, K, narrow, 0, pc, N, default);
                Assert.Equal(expected, actual);
            }
        }
    });

    [InstructionsFact(Instructions.BFloat16)]
    public void ARowDoesNotDependOnTheOthersNorOnAnUpdateOfZero() => OnEveryPath(() =>
    {
        // Vector code adds an update of zero too, but to sums that packing of few rows orders otherwise.
        if (BFloat16Paths.Current == BFloat16Path.Vector) return;
        float[] a = Random(M * K, 1), b = Random(K * N, 2), bias = Random(N, 3), left = Random(M * 8, 4), right = new float[8 * N];
        float[] expected = new float[M * N], actual = new float[M * N];
        fixed (float* pa = a, pb = b, pe = expected, pc = actual, pl = left, pr = right, bi = bias)
        {
            using var packed = new BFloat16PackedMatrix(pb, N, K, N, false, Precision.BFloat16);
            var epilogue = new Epilogue<float> { Bias = bi };
            BFloat16Gemm.Multiply(false, M, 1, pa, K, packed, 0, pe, N, epilogue);
            epilogue = epilogue with { Rank = 8, Left = pl, LeftStride = 8, Right = pr, RightStride = N, LowRankScale = 2 };
            for (int row = 0; row < M; row += 17)
            {
                int rows = Math.Min(17, M - row);
                BFloat16Gemm.Multiply(false, rows, 1, pa + (row * K), K, packed, 0, pc + (row * N), N, epilogue);
            }
        }

        Assert.Equal(expected, actual);
    });

    [Fact]
    public void NotANumberAndInfinityReachTheResult() => OnEveryPath(() =>
    {
        float[] a = Random(M * K, 1), b = Random(K * N, 2), c = new float[M * N];
        a[5] = float.NaN;
        a[(3 * K) + 700] = float.PositiveInfinity;
        fixed (float* pa = a, pb = b, pc = c)
        {
            foreach (Precision precision in new[] { Precision.BFloat16, Precision.BFloat16x3, Precision.BFloat16x6 })
            {
                BFloat16Gemm.Multiply(precision, false, false, M, N, K, 1, pa, K, pb, N, 0, pc, N, default);
                Assert.True(float.IsNaN(c[0]));
                Assert.False(float.IsFinite(c[3 * N]));
                Assert.True(float.IsFinite(c[N]));
            }
        }
    });

    [Fact]
    public void ACallAllocatesNothingOnTheManagedHeap() => OnEveryPath(() =>
    {
        float[] a = Random(M * K, 1), c = new float[M * N];
        fixed (float* pa = a, pc = c)
        {
            using var packed = new BFloat16PackedMatrix(pa, N, K, N, false, Precision.BFloat16);
            long before = 0;
            for (int i = 0; i < 3; i++)
            {
                if (i == 2) before = GC.GetAllocatedBytesForCurrentThread();
                BFloat16Gemm.Multiply(false, M, 1, pa, K, packed, 0, pc, N, default);
                BFloat16Gemm.Multiply(Precision.BFloat16x3, true, true, M, N, 32, 1, pa, K, pa, K, 0, pc, N, default);
            }

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    });

    [Fact]
    public void ImpossibleArgumentsAreRefused() => OnEveryPath(() =>
    {
        float value = 0;
        float* p = &value;
        Assert.Throws<ArgumentOutOfRangeException>("precision", () => Multiply(Precision.Float32, 1, 1, 1, 1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>("m", () => Multiply(Precision.BFloat16, -1, 1, 1, 1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>("lda", () => Multiply(Precision.BFloat16, 1, 1, 2, 1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>("ldb", () => Multiply(Precision.BFloat16, 1, 2, 1, 1, 1, 2));
        Assert.Throws<ArgumentOutOfRangeException>("ldc", () => Multiply(Precision.BFloat16, 1, 2, 1, 1, 2, 1));
        Assert.Throws<ArgumentOutOfRangeException>("precision", () => new BFloat16PackedMatrix(p, 1, 1, 1, false, Precision.Float32));
        var packed = new BFloat16PackedMatrix(p, 1, 1, 1, false, Precision.BFloat16);
        packed.Dispose();
        packed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => BFloat16Gemm.Multiply(false, 1, 1, p, 1, packed, 0, p, 1, default));

        void Multiply(Precision precision, int m, int n, int k, int lda, int ldb, int ldc) =>
            BFloat16Gemm.Multiply(precision, false, false, m, n, k, 1, p, lda, p, ldb, 0, p, ldc, default);
    });

    [Fact]
    public void TheEnvironmentChoosesThePath()
    {
        Assert.Equal(BFloat16Path.Vector, BFloat16Paths.Choose("vector"));
        Assert.Equal(BFloat16Paths.Choose("amx"), BFloat16Paths.Choose(null));
        Assert.True(BFloat16Paths.Choose(null) != BFloat16Path.Avx512 || BFloat16Code.DotsAreFast);
        Assert.Equal(BFloat16Paths.IsSupported(BFloat16Path.Amx), BFloat16Paths.Choose(null) == BFloat16Path.Amx);
        Assert.Equal(BFloat16Paths.IsSupported(BFloat16Path.Avx512) ? BFloat16Path.Avx512 : BFloat16Path.Vector, BFloat16Paths.Choose("avx512"));
        Assert.Contains(Compute.BFloat16Path, new[] { "AMX", "AVX512-BF16", "vector" });
    }

    private static void OnEveryPath(Action test)
    {
        foreach (BFloat16Path path in Enum.GetValues<BFloat16Path>().Where(BFloat16Paths.IsSupported))
        {
            BFloat16Paths.Forced = path;
            try
            {
                test();
            }
            finally
            {
                BFloat16Paths.Forced = null;
            }
        }
    }

    private static double LargestError(float[] a, float[] b, float[] c)
    {
        double largest = 0;
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                double sum = 0, magnitude = 0;
                for (int p = 0; p < K; p++)
                {
                    double term = (double)a[(i * K) + p] * b[(p * N) + j];
                    sum += term;
                    magnitude += Math.Abs(term);
                }

                largest = Math.Max(largest, Math.Abs(c[(i * N) + j] - sum) / magnitude);
            }
        }

        return largest;
    }

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = random.NextSingle() * 2 - 1;
        return values;
    }
}
