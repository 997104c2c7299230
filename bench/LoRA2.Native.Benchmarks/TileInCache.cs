using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;

namespace LoRA2.Native.Benchmarks;

/// <summary>The float32 kernel's own limit: one whole tile over a panel's depth of 192, again and again, all in the first-level cache.</summary>
internal static unsafe class TileInCache
{
    private const int Depth = 192, Iterations = 1000;

    /// <summary>GFLOP/s of <paramref name="threads"/> threads together, each for <paramref name="seconds"/>.</summary>
    public static double Measure(int threads, double seconds) => FusedMultiplyAdds.OnThreads(threads, () => Compute.SimdPath switch
    {
        "Vector512" => Rate<Vector512<float>, Simd512<float>>(seconds),
        "Vector256" => Rate<Vector256<float>, Simd256<float>>(seconds),
        _ => Rate<Vector128<float>, Simd128<float>>(seconds),
    });

    private static double Rate<TVector, TSimd>(double seconds)
        where TVector : unmanaged
        where TSimd : unmanaged, ISimd<float, TVector>
    {
        (int rows, int columns) = (TSimd.TileRows, 2 * TSimd.Count);
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)(((rows + columns) * Depth) + (rows * columns)) * sizeof(float), 64);
        float* b = memory + (rows * Depth), c = b + (columns * Depth);
        new Span<float>(memory, (rows + columns) * Depth).Fill(1e-3f);
        var tile = new Tile<float> { A = memory, RowStep = 1, DepthStep = rows, B = b, BStep = columns, Depth = Depth, Alpha = 1, C = c, CStep = columns };
        long products = 0;
        double start = Clock.Seconds, elapsed;
        do
        {
            for (int i = 0; i < Iterations; i++) MicroKernels<float, TVector, TSimd>.Run(rows, true, &tile);
            products += Iterations;
        }
        while ((elapsed = Clock.Seconds - start) < seconds);
        NativeMemory.AlignedFree(memory);
        return 2.0 * rows * columns * Depth * products / elapsed / 1e9;
    }
}
