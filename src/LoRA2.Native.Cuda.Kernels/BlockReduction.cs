using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Sums and maxima of a value of each thread of a block of <see cref="Threads"/> threads, in a fixed order; every thread gets the result. All threads take part.
/// </summary>
/// <remarks>
/// Not by ILGPU.Algorithms' GroupExtensions.AllReduce: it adds the warps' sums by atomic operations, in no fixed order where there are more than four warps, and four
/// of them one after the other instead of by pairs, so that bits would change.
/// </remarks>
internal static class BlockReduction
{
    /// <summary>Threads of a block that reduces.</summary>
    public const int Threads = 128;

    private const int Warps = Threads / 32;

    public static float Sum(float value)
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(Warps);
        value = WarpReduction.Sum(value);
        Group.Barrier();
        if ((Group.IdxX & 31) == 0) sums[Group.IdxX / 32] = value;
        Group.Barrier();
        return sums[0] + sums[1] + (sums[2] + sums[3]);
    }

    public static double Sum(double value)
    {
        ArrayView<double> sums = SharedMemory.Allocate<double>(Warps);
        value = WarpReduction.Sum(value);
        Group.Barrier();
        if ((Group.IdxX & 31) == 0) sums[Group.IdxX / 32] = value;
        Group.Barrier();
        return sums[0] + sums[1] + (sums[2] + sums[3]);
    }

    public static uint Sum(uint value)
    {
        ArrayView<uint> sums = SharedMemory.Allocate<uint>(Warps);
        value = WarpReduction.Sum(value);
        Group.Barrier();
        if ((Group.IdxX & 31) == 0) sums[Group.IdxX / 32] = value;
        Group.Barrier();
        return sums[0] + sums[1] + (sums[2] + sums[3]);
    }

    /// <summary>The largest value that is a number.</summary>
    public static float Max(float value)
    {
        ArrayView<float> largest = SharedMemory.Allocate<float>(Warps);
        value = WarpReduction.Max(value);
        Group.Barrier();
        if ((Group.IdxX & 31) == 0) largest[Group.IdxX / 32] = value;
        Group.Barrier();
        return IntrinsicMath.Max(IntrinsicMath.Max(largest[0], largest[1]), IntrinsicMath.Max(largest[2], largest[3]));
    }
}
