using LoRA2.Native.Cuda.Operations;
using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Tests.Attention;

/// <summary>Attention and its gradients against the CPU backend, on the interpreter.</summary>
public sealed class AttentionTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 5, 2, 3)]
    [InlineData(3, 31, 2, 8)]
    [InlineData(2, 64, 1, 17)]
    [InlineData(3, 67, 2, 5)]
    [InlineData(1, 130, 1, 67)]
    [InlineData(0, 4, 2, 8)]
    [InlineData(2, 0, 2, 8)]
    public void AgreesWithTheProcessor(int batch, int length, int heads, int size)
    {
        Check(new AttentionCase(batch, length, heads, size));
        Check(new AttentionCase(batch, length, heads, size) { Masked = true, Dropout = 0.3, PositionKey = true, PositionQuery = true });
        Check(new AttentionCase(batch, length, heads, size) { Masked = true, MaskQueries = true, Dropout = 0.1, PositionKey = true, PositionQuery = true, Probabilities = true });
    }

    [Fact]
    public void EachTermAlone()
    {
        var plain = new AttentionCase(3, 41, 2, 6);
        Check(plain);
        Check(plain with { Probabilities = true });
        Check(plain with { Masked = true });
        Check(plain with { Masked = true, MaskQueries = true });
        Check(plain with { Dropout = 0.5 });
        Check(plain with { PositionKey = true });
        Check(plain with { PositionQuery = true });
    }

    [Fact]
    public void OnTensorCoresItIsCloseToFloat32()
    {
        foreach ((int length, int size) in new[] { (1, 1), (37, 7), (70, 64), (130, 72) })
        {
            Check(new AttentionCase(2, length, 1, size) { Precision = Precision.BFloat16 }, 0.02f);
            Check(new AttentionCase(2, length, 2, size) { Precision = Precision.BFloat16, Masked = true, Dropout = 0.1, PositionKey = true, PositionQuery = true }, 0.02f);
        }
    }

    [Fact]
    public void HeadsByGroups()
    {
        var attention = new AttentionCase(3, 70, 2, 8) { Masked = true, PositionKey = true, PositionQuery = true };
        Check(attention, groupBytes: 1);
        Check(attention, groupBytes: 5 * 2 * 2 * 3 * 64 * 8 * sizeof(float));
    }

    [Fact]
    public void WantedProbabilitiesChangeNoBit()
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        var attention = new AttentionCase(2, 70, 2, 8) { Masked = true, Dropout = 0.2, PositionKey = true, PositionQuery = true };
        using var scope = new TensorScope();
        float[][] expected = attention.Run(device), actual = (attention with { Probabilities = true }).Run(device);
        Assert.Equal(expected, actual[..^1]);
    }

    [Fact]
    public void MoreElementsOfDropoutThanHaveNumbersAreRefused()
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        using var scope = new TensorScope();
        Tensor x = Tensor.Zeros([1, 65536, 1], DType.Float32, device);
        var error = Assert.Throws<NotSupportedException>(() => device.Kernels.Attention(x, x, x, new AttentionTerms(1, 1, Dropout: new DropoutMask(0.1, 1, 2, 3)), null, null, x));
        Assert.Equal("Attention: dropout of 1 sequences of 1 heads and length 65536 has 2^32 elements or more; on cuda:0 it has to be fewer", error.Message);
    }

    private static void Check(AttentionCase attention, float tolerance = 1e-5f, long groupBytes = 1 << 20)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        ((CudaKernels)device.Kernels).AttentionGroupBytes = groupBytes;
        using var scope = new TensorScope();
        float[][] expected = (attention with { Precision = Precision.Float32 }).Run(Device.Cpu), actual = attention.Run(device);
        for (int i = 0; i < expected.Length; i++)
        {
            float largest = expected[i].Select(Math.Abs).Append(1e-3f).Max();
            for (int j = 0; j < expected[i].Length; j++)
                Assert.True(Math.Abs(expected[i][j] - actual[i][j]) <= tolerance * largest, $"{attention}: result {i}, element {j} is {actual[i][j]}; expected {expected[i][j]}");
        }
    }
}
