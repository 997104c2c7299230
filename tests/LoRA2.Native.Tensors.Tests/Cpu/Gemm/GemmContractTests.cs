using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

[Collection(nameof(ThreadTeamTests))]
public sealed unsafe class GemmContractTests
{
    [Fact]
    public void ACallAllocatesNothingOnTheManagedHeap()
    {
        var a = new float[200 * 300];
        var c = new float[200 * 200];
        fixed (float* pa = a, pc = c)
        {
            using var packed = new PackedMatrix<float>(pa, 300, 200, 200, false);
            long before = 0;
            for (int i = 0; i < 3; i++)
            {
                if (i == 2) before = GC.GetAllocatedBytesForCurrentThread();
                Gemm.Multiply(false, true, 200, 200, 300, 1f, pa, 300, pa, 300, 0f, pc, 200);
                Gemm.Multiply(false, 200, 1f, pa, 300, packed, 0f, pc, 200, default);
                Gemm.Multiply(true, false, 200, 8, 200, 1f, pa, 300, pa, 300, 1f, pc, 200);
                Gemm.Multiply(false, false, 200, 8, 200, 1f, pa, 300, pa, 300, 1f, pc, 200);
                Gemm.Batched(4, false, true, 40, 40, 40, 1f, pa, 40, 1600, pa, 40, 1600, 0f, pc, 40, 1600);
            }

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    [Fact]
    public void ImpossibleSizesAreRefused()
    {
        float value = 0;
        float* p = &value;
        Assert.Throws<ArgumentOutOfRangeException>("m", () => Gemm.Multiply(false, false, -1, 1, 1, 1f, p, 1, p, 1, 0f, p, 1));
        Assert.Throws<ArgumentOutOfRangeException>("n", () => Gemm.Multiply(false, false, 1, -1, 1, 1f, p, 1, p, 1, 0f, p, 1));
        Assert.Throws<ArgumentOutOfRangeException>("k", () => Gemm.Multiply(false, false, 1, 1, -1, 1f, p, 1, p, 1, 0f, p, 1));
        Assert.Throws<ArgumentOutOfRangeException>("lda", () => Gemm.Multiply(false, false, 1, 1, 2, 1f, p, 1, p, 2, 0f, p, 1));
        Assert.Throws<ArgumentOutOfRangeException>("lda", () => Gemm.Multiply(true, false, 2, 1, 1, 1f, p, 1, p, 1, 0f, p, 1));
        Assert.Throws<ArgumentOutOfRangeException>("ldb", () => Gemm.Multiply(false, false, 1, 2, 1, 1f, p, 1, p, 1, 0f, p, 2));
        Assert.Throws<ArgumentOutOfRangeException>("ldb", () => Gemm.Multiply(false, true, 1, 1, 2, 1f, p, 2, p, 1, 0f, p, 1));
        Assert.Throws<ArgumentOutOfRangeException>("ldc", () => Gemm.Multiply(false, false, 1, 2, 1, 1f, p, 1, p, 2, 0f, p, 1));
    }

    [Fact]
    public void APackedMatrixReportsItsSizeAndCannotBeUsedOnceDisposed()
    {
        var values = new float[6];
        fixed (float* p = values)
        {
            var packed = new PackedMatrix<float>(p, 3, 3, 2, true);
            Assert.Equal((3, 2), (packed.Rows, packed.Columns));
            Assert.True(packed.Bytes >= 24);
            packed.Dispose();
            packed.Dispose();
            float* operand = p;
            Assert.Throws<ObjectDisposedException>(() => Gemm.Multiply(false, 1, 1f, operand, 3, packed, 0f, operand, 2, default));
        }
    }

    [Fact]
    public void TheEnvironmentChoosesThePath()
    {
        Assert.Equal(SimdPath.Portable, SimdPaths.Choose("portable"));
        Assert.True(SimdPaths.Choose("256") <= SimdPath.Vector256);
        Assert.Equal(SimdPaths.Choose("512"), SimdPaths.Choose(null));
        Assert.All(Enum.GetValues<SimdPath>(), path => Assert.True(SimdPaths.IsSupported(path) || SimdPaths.Choose(null) < path));
    }
}
