using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// The core's own limit: fused multiply-adds that touch registers only, 12 independent chains. An operation is one multiply-add of one
/// lane, so that Gflop/s is 2 divided by the time in nanoseconds.
/// </summary>
public class PeakBenchmarks
{
    private const int Rounds = 100_000, Chains = 12, Lanes = 16;

    [Benchmark(OperationsPerInvoke = Rounds * Chains * Lanes)]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float Vector512MultiplyAdd()
    {
        Vector512<float> x = Vector512.Create(0.5f), y = Vector512.Create(0.25f);
        Vector512<float> a = default, b = default, c = default, d = default, e = default, f = default;
        Vector512<float> g = default, h = default, i = default, j = default, k = default, l = default;
        for (int round = 0; round < Rounds; round++)
        {
            a = Vector512.FusedMultiplyAdd(x, y, a);
            b = Vector512.FusedMultiplyAdd(x, y, b);
            c = Vector512.FusedMultiplyAdd(x, y, c);
            d = Vector512.FusedMultiplyAdd(x, y, d);
            e = Vector512.FusedMultiplyAdd(x, y, e);
            f = Vector512.FusedMultiplyAdd(x, y, f);
            g = Vector512.FusedMultiplyAdd(x, y, g);
            h = Vector512.FusedMultiplyAdd(x, y, h);
            i = Vector512.FusedMultiplyAdd(x, y, i);
            j = Vector512.FusedMultiplyAdd(x, y, j);
            k = Vector512.FusedMultiplyAdd(x, y, k);
            l = Vector512.FusedMultiplyAdd(x, y, l);
        }

        return (a + b + c + d + e + f + g + h + i + j + k + l)[0];
    }
}
