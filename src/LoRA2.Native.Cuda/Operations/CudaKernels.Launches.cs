using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Operations;

/// <content>How many blocks and threads a kernel gets: the sizes of its operands alone decide, so that a result's bits never depend on the GPU.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>Threads of a block in loops over elements.</summary>
    private const int ElementThreads = 256;

    /// <summary>Threads of a block that reduces, or of four warps with a row each.</summary>
    private const int RowThreads = 128;

    /// <summary>The most columns that a warp keeps of a row.</summary>
    private const int WarpColumns = 1024;

    private const int MostBlocks = 4096;

    /// <summary>Blocks for a loop over so many elements, four to a thread where they are taken in fours.</summary>
    private static Grid3 ElementBlocks(int count, int vectors) => Math.Clamp(Blocks(vectors > 0 ? vectors : count, ElementThreads), 1, MostBlocks);

    private static int Blocks(int count, int each) => (int)(((long)count + each - 1) / each);

    /// <summary>The number of fours that 16-byte accesses may take of arrays of <paramref name="count"/> elements: 0 when one is not aligned for them.</summary>
    private static int Vectors(int count, params ReadOnlySpan<Tensor?> arrays)
    {
        foreach (Tensor? array in arrays)
        {
            if (array is not null && (nuint)array.Address % 16 != 0) return 0;
        }

        return count / 4;
    }

    /// <summary>The number of fours of a row when a warp can take it whole, else 0.</summary>
    private static int RowVectors(int columns, params ReadOnlySpan<Tensor?> arrays) => columns % 4 == 0 && columns <= WarpColumns ? Vectors(columns, arrays) : 0;
}
