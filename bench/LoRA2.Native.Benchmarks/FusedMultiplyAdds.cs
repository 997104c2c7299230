using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// The cores' own limit: independent float32 multiply-adds on registers of the width that kernels take, on several threads at once; fused, but for 128 bits on a processor without them.
/// </summary>
internal static unsafe class FusedMultiplyAdds
{
    private const int Iterations = 100_000;

    /// <summary>GFLOP/s of <paramref name="threads"/> threads together, each for <paramref name="seconds"/>.</summary>
    public static double Measure(int threads, double seconds) => OnThreads(threads, () => Compute.SimdPath switch
    {
        "Vector512" => Rate<Vector512<float>, Simd512<float>>(seconds),
        "Vector256" => Rate<Vector256<float>, Simd256<float>>(seconds),
        _ => Rate<Vector128<float>, Simd128<float>>(seconds),
    });

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

    private static double Rate<TVector, TSimd>(double seconds)
        where TVector : unmanaged
        where TSimd : unmanaged, ISimd<float, TVector>
    {
        long operations = 0;
        double start = Clock.Seconds, elapsed;
        do operations += Loop<TVector, TSimd>(Iterations);
        while ((elapsed = Clock.Seconds - start) < seconds);
        return operations / elapsed / 1e9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Loop<TVector, TSimd>(int count)
        where TVector : unmanaged
        where TSimd : unmanaged, ISimd<float, TVector>
    {
        (float factor, float addend) = (0.999f, 1e-3f);
        TVector x = TSimd.Broadcast(&factor), y = TSimd.Broadcast(&addend);
        TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < count; n++)
        {
            a = TSimd.MultiplyAdd(a, x, y);
            b = TSimd.MultiplyAdd(b, x, y);
            c = TSimd.MultiplyAdd(c, x, y);
            d = TSimd.MultiplyAdd(d, x, y);
            e = TSimd.MultiplyAdd(e, x, y);
            f = TSimd.MultiplyAdd(f, x, y);
            g = TSimd.MultiplyAdd(g, x, y);
            h = TSimd.MultiplyAdd(h, x, y);
            i = TSimd.MultiplyAdd(i, x, y);
            j = TSimd.MultiplyAdd(j, x, y);
            k = TSimd.MultiplyAdd(k, x, y);
            l = TSimd.MultiplyAdd(l, x, y);
        }

        TVector sum = TSimd.Add(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)), TSimd.Add(TSimd.Add(TSimd.Add(e, f), TSimd.Add(g, h)), TSimd.Add(TSimd.Add(i, j), TSimd.Add(k, l))));
        return TSimd.Sum(sum) > 1e30f ? 0 : count * 12L * TSimd.Count * 2;
    }
}
