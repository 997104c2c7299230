using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>Picks the <see cref="MicroKernel{T, TVector, TSimd, TRows, TColumns}"/> for a tile's size.</summary>
internal static unsafe class MicroKernels<T, TVector, TSimd>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
{
    /// <param name="rows">1 … <see cref="ISimd{T, TVector}.TileRows"/>.</param>
    /// <param name="wide">Two vectors of columns rather than one.</param>
    /// <param name="tile">The operands.</param>
    public static void Run(int rows, bool wide, Tile<T>* tile)
    {
        if (wide) Run<C2>(rows, tile);
        else Run<C1>(rows, tile);
    }

    private static void Run<TColumns>(int rows, Tile<T>* tile)
        where TColumns : unmanaged, IConstant
    {
        switch (rows)
        {
            case 1: MicroKernel<T, TVector, TSimd, C1, TColumns>.Run(tile); break;
            case 2: MicroKernel<T, TVector, TSimd, C2, TColumns>.Run(tile); break;
            case 3: MicroKernel<T, TVector, TSimd, C3, TColumns>.Run(tile); break;
            case 4: MicroKernel<T, TVector, TSimd, C4, TColumns>.Run(tile); break;
            case 5: MicroKernel<T, TVector, TSimd, C5, TColumns>.Run(tile); break;
            case 6: MicroKernel<T, TVector, TSimd, C6, TColumns>.Run(tile); break;
            case 7: MicroKernel<T, TVector, TSimd, C7, TColumns>.Run(tile); break;
            case 8: MicroKernel<T, TVector, TSimd, C8, TColumns>.Run(tile); break;
            case 9: MicroKernel<T, TVector, TSimd, C9, TColumns>.Run(tile); break;
            case 10: MicroKernel<T, TVector, TSimd, C10, TColumns>.Run(tile); break;
            case 11: MicroKernel<T, TVector, TSimd, C11, TColumns>.Run(tile); break;
            case 12: MicroKernel<T, TVector, TSimd, C12, TColumns>.Run(tile); break;
        }
    }
}
