using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Measures the cores' own limit: independent float32 fused multiply-adds on registers alone, on one thread and on several at once (virtual cores may
/// share a real one, or be lent to others). Prints one JSON object. Option: <c>--threads N</c>.
/// </summary>
internal static class PeakCommand
{
    public static void Run(string[] args)
    {
        int threads = args is ["--threads", var count] ? int.Parse(count, CultureInfo.InvariantCulture) : 2;
        (double one, double all) = (Best(1), Best(threads));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"fma_gflops_per_core\": {one:f1}, \"threads\": {threads}, \"fma_gflops\": {all:f1}, \"vector_bits\": {(Vector512.IsHardwareAccelerated ? 512 : 256)}}}"));
    }

    private static double Best(int threads)
    {
        double best = 0;
        for (int round = 0; round < 10; round++)
        {
            var clock = Stopwatch.StartNew();
            long operations = 0;
            Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(_ => new Thread(() => Interlocked.Add(ref operations, Loop(4_000_000))))];
            foreach (Thread other in others) other.Start();
            Interlocked.Add(ref operations, Loop(4_000_000));
            foreach (Thread other in others) other.Join();
            best = Math.Max(best, operations / clock.Elapsed.TotalSeconds / 1e9);
        }

        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Loop(int count)
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
        return Vector512.Sum(sum) > 1e30f ? 0 : count * 12L * 16 * 2;
    }
}
