using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Tests.Attention;

/// <summary>What attention's kernels have to be made of, and keep, where no GPU can time them.</summary>
public sealed class AttentionPtxTests
{
    [Theory]
    [InlineData("Attention.ForwardRounded", 4)]
    [InlineData("AttentionGradient.QueryRounded", 7)]
    [InlineData("AttentionGradient.KeyRounded", 8)]
    public void EveryProductIsOnTensorCores(string kernel, int products)
    {
        string entry = LibraryPtx.Of(kernel);
        int multiplications = entry.Split("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32").Length - 1, loads = entry.Split("ldmatrix.sync").Length - 1;
        // 64 × 64 × 64 by eight warps; each warp's 16 × 32, four steps deep.
        Assert.Equal(16 * products, multiplications);
        Assert.Equal(12 * products, loads);
    }

    [Fact]
    public void NothingGrowsWithTheSquareOfTheLength()
    {
        long at64 = PeakBytes(64), at256 = PeakBytes(256);
        Assert.InRange(at256, 3 * at64, 4 * at64);
    }

    private static long PeakBytes(int length)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        using var scope = new TensorScope();
        new AttentionCase(1, length, 1, 32) { Dropout = 0.1, Precision = Precision.BFloat16 }.Run(device);
        return device.PeakBytes;
    }
}
