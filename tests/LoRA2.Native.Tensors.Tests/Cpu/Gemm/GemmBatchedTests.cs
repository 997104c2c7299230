using FsCheck.Xunit;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

[Collection(nameof(ThreadTeamTests))]
public sealed unsafe class GemmBatchedTests
{
    [Property(MaxTest = 100)]
    public void EqualsTheProductsOneByOneBitForBit(GemmCase shape, byte count) => Run(shape, count % 6, inRegion: false);

    [Property(MaxTest = 30)]
    public void RunsInsideARegion(GemmCase shape) => Run(shape, 3, inRegion: true);

    private static void Run(GemmCase shape, int count, bool inRegion)
    {
        int strideA = (shape.TransA ? shape.K : shape.M) * shape.Lda + 3;
        int strideB = (shape.TransB ? shape.N : shape.K) * shape.Ldb + 1;
        int strideC = shape.M * shape.Ldc + 2;
        var random = new Random(shape.Seed);
        float[] a = Fill(random, count * strideA), b = Fill(random, count * strideB), expected = Fill(random, count * strideC);
        float[] actual = [.. expected];
        fixed (float* pa = a, pb = b, pe = expected, pc = actual)
        {
            SimdPaths.Forced = shape.Path;
            try
            {
                for (int i = 0; i < count; i++)
                {
                    Gemm.Multiply(
                        shape.TransA, shape.TransB, shape.M, shape.N, shape.K, (float)shape.Alpha,
                        pa + i * strideA, shape.Lda, pb + i * strideB, shape.Ldb, (float)shape.Beta, pe + i * strideC, shape.Ldc);
                }

                var task = new BatchedTask
                {
                    Count = count,
                    Shape = (shape.TransA, shape.TransB, shape.M, shape.N, shape.K),
                    Steps = (shape.Lda, shape.Ldb, shape.Ldc),
                    Strides = (strideA, strideB, strideC),
                    Factors = ((float)shape.Alpha, (float)shape.Beta),
                    A = pa,
                    B = pb,
                    C = pc,
                    Path = shape.Path,
                };
                if (inRegion) ThreadTeam.Run(2, task);
                else task.Run(0);
            }
            finally
            {
                SimdPaths.Forced = null;
            }
        }

        Assert.Equal(expected, actual);
    }

    private static float[] Fill(Random random, int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = random.NextSingle() - 0.5f;
        return values;
    }

    /// <summary>Part 0 runs the batch; another part only makes the region parallel.</summary>
    private struct BatchedTask : IParallelTask
    {
        public int Count;
        public (bool TransA, bool TransB, int M, int N, int K) Shape;
        public (int A, int B, int C) Steps;
        public (int A, int B, int C) Strides;
        public (float Alpha, float Beta) Factors;
        public float* A;
        public float* B;
        public float* C;
        public SimdPath Path;

        public readonly void Run(int index)
        {
            if (index != 0) return;
            SimdPaths.Forced = Path;
            Gemm.Batched(
                Count, Shape.TransA, Shape.TransB, Shape.M, Shape.N, Shape.K, Factors.Alpha,
                A, Steps.A, Strides.A, B, Steps.B, Strides.B, Factors.Beta, C, Steps.C, Strides.C);
            SimdPaths.Forced = null;
        }
    }
}
