using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>This thread's place in a one-dimensional grid, for loops that take every thread's share of any number of elements.</summary>
internal static class Threads
{
    /// <summary>The thread's number.</summary>
    public static uint First => ((uint)Grid.IdxX * (uint)Group.DimX) + (uint)Group.IdxX;

    /// <summary>The number of threads.</summary>
    public static uint Count => (uint)Grid.DimX * (uint)Group.DimX;
}
