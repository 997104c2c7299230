using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// The cores' own limit: independent float32 multiply-adds on registers of the width that kernels take, on several threads at once; fused, but for 128 bits on a processor without them.
/// </summary>
internal static class FusedMultiplyAdds
{
    private const int Iterations = 100_000;

    /// <summary>GFLOP/s of <paramref name="threads"/> threads together, each for <paramref name="seconds"/>.</summary>
    public static double Measure(int threads, double seconds) => OnThreads(threads, () => Rate(seconds));

    /// <summary>The sum of what <paramref name="rate"/> gives on each of several threads at once.</summary>
    public static double OnThreads(int threads, Func<double> rate)
    {
        double sum = 0;
        object gate = new();
        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(_ => new Thread(Add))];
        foreach (Thread other in others) other.Start();
        Add();
        foreach (Thread other in others) other.Join();
        return sum;

        void Add()
        {
            double own = rate();
            lock (gate) sum += own;
        }
    }

    private static double Rate(double seconds)
    {
        long operations = 0;
        double start = Clock.Seconds, elapsed;
        do operations += Compute.SimdPath switch { "Vector512" => Loop512(Iterations), "Vector256" => Loop256(Iterations), _ => Loop128(Iterations) };
        while ((elapsed = Clock.Seconds - start) < seconds);
        return operations / elapsed / 1e9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Loop512(int count)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(1e-3f);
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < count; n++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        Vector512<float> sum = a + b + c + d + e + f + g + h + i + j + k + l;
        return Vector512.Sum(sum) > 1e30f ? 0 : count * 12L * Vector512<float>.Count * 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Loop256(int count)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(1e-3f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < count; n++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        Vector256<float> sum = a + b + c + d + e + f + g + h + i + j + k + l;
        return Vector256.Sum(sum) > 1e30f ? 0 : count * 12L * Vector256<float>.Count * 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Loop128(int count)
    {
        Vector128<float> x = Vector128.Create(0.999f), y = Vector128.Create(1e-3f);
        Vector128<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < count; n++)
        {
            a = Vector128.MultiplyAddEstimate(a, x, y);
            b = Vector128.MultiplyAddEstimate(b, x, y);
            c = Vector128.MultiplyAddEstimate(c, x, y);
            d = Vector128.MultiplyAddEstimate(d, x, y);
            e = Vector128.MultiplyAddEstimate(e, x, y);
            f = Vector128.MultiplyAddEstimate(f, x, y);
            g = Vector128.MultiplyAddEstimate(g, x, y);
            h = Vector128.MultiplyAddEstimate(h, x, y);
            i = Vector128.MultiplyAddEstimate(i, x, y);
            j = Vector128.MultiplyAddEstimate(j, x, y);
            k = Vector128.MultiplyAddEstimate(k, x, y);
            l = Vector128.MultiplyAddEstimate(l, x, y);
        }

        Vector128<float> sum = a + b + c + d + e + f + g + h + i + j + k + l;
        return Vector128.Sum(sum) > 1e30f ? 0 : count * 12L * Vector128<float>.Count * 2;
    }
}
