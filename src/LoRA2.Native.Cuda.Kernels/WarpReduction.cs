using ILGPU.Algorithms;
using ILGPU.Algorithms.ScanReduceOperations;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Sums and maxima of a value of each lane of a warp, in a fixed order (of lanes 16, 8, 4, 2 and 1 apart); every lane gets the result.</summary>
internal static class WarpReduction
{
    public static float Sum(float value) => WarpExtensions.AllReduce<float, AddFloat>(value);

    public static double Sum(double value) => WarpExtensions.AllReduce<double, AddDouble>(value);

    public static uint Sum(uint value) => WarpExtensions.AllReduce<uint, AddUInt32>(value);

    /// <summary>The largest value that is a number.</summary>
    public static float Max(float value) => WarpExtensions.AllReduce<float, MaxFloat>(value);
}
