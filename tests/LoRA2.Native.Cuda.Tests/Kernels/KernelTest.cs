using LoRA2.Native.Cuda.Tests.Emulation;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>Runs a kernel on the CPU and on the interpreter of PTX.</summary>
public abstract class KernelTest : IDisposable
{
    /// <summary>Rows and columns: none, one, primes, multiples of a vector and of a warp and their neighbours, more than a warp keeps.</summary>
    protected static (int Rows, int Columns)[] Matrices { get; } =
        [(0, 5), (3, 0), (1, 1), (5, 3), (2, 4), (7, 13), (4, 31), (5, 32), (3, 33), (6, 64), (2, 127), (5, 128), (3, 132), (2, 768), (1, 1021), (2, 1024), (2, 1028), (1, 2053), (70, 8), (131, 5)];

    protected static int[] Counts { get; } = [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 127, 128, 1021, 1024, 4099];

    private readonly CudaDevice device = new(new EmulatedDriver(), 0);

    public void Dispose()
    {
        device.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What a kernel leaves in its outputs on the CPU and on the device.</summary>
    internal (float[][] Cpu, float[][] Device) OnBoth(Func<Side, Tensor[]> run, bool shifted = false)
    {
        using var scope = new TensorScope();
        return (Array.ConvertAll(run(new Side(Device.Cpu, false)), Values), Array.ConvertAll(run(new Side(device, shifted)), Values));
    }

    /// <summary>Fails unless every output is within so many units of the last place; returns the most.</summary>
    internal void AssertUlps(int most, Func<Side, Tensor[]> run, string what)
    {
        foreach (bool shifted in (bool[])[false, true])
        {
            (float[][] cpu, float[][] there) = OnBoth(run, shifted);
            for (int i = 0; i < cpu.Length; i++)
            {
                for (int e = 0; e < cpu[i].Length; e++)
                {
                    if (Ulps(cpu[i][e], there[i][e]) > most)
                        Assert.Fail($"{what}, shifted {shifted}: output {i} is {there[i][e]:g9} at {e}, {cpu[i][e]:g9} on the CPU: {Ulps(cpu[i][e], there[i][e])} ulp");
                }
            }
        }
    }

    /// <summary>Fails unless every output is within <paramref name="tolerance"/> of the CPU's, relative to its largest element.</summary>
    internal void AssertClose(double tolerance, Func<Side, Tensor[]> run, string what)
    {
        foreach (bool shifted in (bool[])[false, true])
        {
            (float[][] cpu, float[][] there) = OnBoth(run, shifted);
            for (int i = 0; i < cpu.Length; i++)
            {
                double scale = cpu[i].Select(Math.Abs).Where(float.IsFinite).DefaultIfEmpty(0).Max();
                for (int e = 0; e < cpu[i].Length; e++)
                {
                    double error = cpu[i][e].Equals(there[i][e]) ? 0 : Math.Abs((double)cpu[i][e] - there[i][e]);
                    if (!(error <= tolerance * scale)) Assert.Fail($"{what}, shifted {shifted}: output {i} is {there[i][e]:g9} at {e}, {cpu[i][e]:g9} on the CPU, of at most {scale:g9}");
                }
            }
        }
    }

    internal static float[] Normal(int count, int seed, double scale = 1)
    {
        var random = new Philox(20240813, (ulong)seed);
        float[] values = new float[count];
        random.FillNormal<float>(values, 0, scale);
        return values;
    }

    internal static int[] Integers(int count, int seed, int least, int most)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(least, most + 1))];
    }

    /// <summary>Numbers representable between two values; 0 for two NaN.</summary>
    internal static long Ulps(float a, float b)
    {
        if (float.IsNaN(a) || float.IsNaN(b)) return float.IsNaN(a) && float.IsNaN(b) ? 0 : long.MaxValue;
        return Math.Abs(Ordered(a) - Ordered(b));
    }

    private static long Ordered(float x)
    {
        int bits = BitConverter.SingleToInt32Bits(x);
        return bits < 0 ? -(long)(bits & int.MaxValue) : bits;
    }

    private static float[] Values(Tensor x) => x.DType == DType.Float32 ? x.ToArray<float>() : x.DType == DType.BFloat16
        ? Array.ConvertAll(x.ToArray<ushort>(), bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))
        : Array.ConvertAll(x.ToArray<int>(), value => (float)value);
}
