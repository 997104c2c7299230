using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Small products inside a part. Where there are no bfloat16 instructions there is nothing to test: kernels don't call them there.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed unsafe class TileBlockTests
{
    [InstructionsFact(Instructions.BFloat16)]
    public void EqualsTheLargeProductBitForBit()
    {
        foreach (BFloat16Path path in Paths)
        {
            foreach ((int m, int n, int k) in new[] { (128, 128, 64), (128, 64, 128), (1, 1, 1), (17, 33, 31), (48, 5, 0), (0, 3, 3), (3, 0, 3), (31, 130, 67) })
            {
                for (int flags = 0; flags < 16; flags++) Compare(path, m, n, k, (flags & 1) != 0, (flags & 2) != 0, flags >> 2);
            }
        }
    }

    [InstructionsFact(Instructions.BFloat16)]
    public void RunsInsideAPartWithoutAllocating()
    {
        foreach (BFloat16Path path in Paths)
        {
            BFloat16Paths.Forced = path;
            try
            {
                var task = default(AllocationTask);
                for (int i = 0; i < 3; i++) ThreadTeam.Run(4, task);
                long allocated = 0;
                task.Allocated = &allocated;
                ThreadTeam.Run(4, task);
                Assert.Equal(0, allocated);
            }
            finally
            {
                BFloat16Paths.Forced = null;
            }
        }
    }

    private static IEnumerable<BFloat16Path> Paths => Enum.GetValues<BFloat16Path>().Where(path => path != BFloat16Path.Vector && BFloat16Paths.IsSupported(path));

    private static void Compare(BFloat16Path path, int m, int n, int k, bool transA, bool transB, int variant)
    {
        Precision precision = (variant & 1) == 0 ? Precision.BFloat16 : Precision.BFloat16x3;
        float beta = variant >> 1;
        int lda = (transA ? m : k) + 3, ldb = (transB ? k : n) + 1, ldc = n + 2;
        var random = new Random(1);
        float[] a = Fill(random, lda * (transA ? k : m) + 1), b = Fill(random, ldb * (transB ? n : k) + 1), expected = Fill(random, ldc * m + 1);
        float[] actual = [.. expected];
        fixed (float* pa = a, pb = b, pe = expected, pc = actual)
        {
            BFloat16Paths.Forced = path;
            if (BFloat16Paths.Of(precision) == BFloat16Path.Vector)
            {
                BFloat16Paths.Forced = null;
                return;
            }

            BFloat16Gemm.Multiply(precision, transA, transB, m, n, k, 0.5f, pa, lda, pb, ldb, beta, pe, ldc, default(Epilogue<float>));
            TileBlock.Multiply(precision, transA, transB, m, n, k, 0.5f, pa, lda, pb, ldb, beta, pc, ldc);
            BFloat16Paths.Forced = null;
        }

        Assert.Equal(expected, actual);
    }

    private static float[] Fill(Random random, int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = random.NextSingle() - 0.5f;
        return values;
    }

    private struct AllocationTask : IParallelTask
    {
        public long* Allocated;

        public readonly void Run(int index)
        {
            float* a = stackalloc float[64 * 64], b = stackalloc float[64 * 64], c = stackalloc float[64 * 64];
            new Span<float>(a, 64 * 64).Fill(index);
            new Span<float>(b, 64 * 64).Fill(1);
            long before = GC.GetAllocatedBytesForCurrentThread();
            TileBlock.Multiply(Precision.BFloat16, false, true, 64, 64, 64, 1, a, 64, b, 64, 0, c, 64);
            if (Allocated != null) Interlocked.Add(ref *Allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(64 * index, c[(63 * 64) + index]);
        }
    }
}
