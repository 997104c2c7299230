using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Kernels that take each element by itself, in grid-stride loops.</summary>
[KernelFamily]
internal static unsafe class Elementwise
{
    /// <summary>y = a + b.</summary>
    public static void Add(nint a, nint b, nint y, int count)
    {
        for (int i = (Grid.IdxX * Group.DimX) + Group.IdxX; i < count; i += Grid.DimX * Group.DimX) ((float*)y)[i] = ((float*)a)[i] + ((float*)b)[i];
    }
}
