using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// Hands a product of blocks to <see cref="TileProduct"/> when its right operand was packed in tiles, else to the code for a <see cref="SimdPath"/>; see
/// <see cref="BlockProduct{T, TVector, TSimd}"/>.
/// </summary>
internal static unsafe class BlockProducts<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Columns of a panel.</summary>
    public static int PanelColumns(SimdPath path) => MatrixProducts.GemmPath<T>.PanelColumns(path);

    public static void Dense(SimdPath path, int rows, int columns, int depth, in BlockOperands<T> operands)
    {
        if (operands.B.Tiles != null)
        {
            TileProduct.Dense(rows, columns, depth, Single(operands));
            return;
        }

        switch (path)
        {
            case SimdPath.Vector512: BlockProduct<T, Vector512<T>, MatrixProducts.Simd512<T>>.Dense(rows, columns, depth, operands); break;
            case SimdPath.Vector256: BlockProduct<T, Vector256<T>, MatrixProducts.Simd256<T>>.Dense(rows, columns, depth, operands); break;
            default: BlockProduct<T, Vector128<T>, MatrixProducts.Simd128<T>>.Dense(rows, columns, depth, operands); break;
        }
    }

    public static void ShearedColumns(SimdPath path, Band band, int depth, in BlockOperands<T> operands)
    {
        if (operands.B.Tiles != null)
        {
            TileProduct.ShearedColumns(band, depth, Single(operands));
            return;
        }

        switch (path)
        {
            case SimdPath.Vector512: BlockProduct<T, Vector512<T>, MatrixProducts.Simd512<T>>.ShearedColumns(band, depth, operands); break;
            case SimdPath.Vector256: BlockProduct<T, Vector256<T>, MatrixProducts.Simd256<T>>.ShearedColumns(band, depth, operands); break;
            default: BlockProduct<T, Vector128<T>, MatrixProducts.Simd128<T>>.ShearedColumns(band, depth, operands); break;
        }
    }

    public static void ShearedDepth(SimdPath path, Band band, int columns, in BlockOperands<T> operands)
    {
        if (operands.B.Tiles != null)
        {
            TileProduct.ShearedDepth(band, columns, Single(operands));
            return;
        }

        switch (path)
        {
            case SimdPath.Vector512: BlockProduct<T, Vector512<T>, MatrixProducts.Simd512<T>>.ShearedDepth(band, columns, operands); break;
            case SimdPath.Vector256: BlockProduct<T, Vector256<T>, MatrixProducts.Simd256<T>>.ShearedDepth(band, columns, operands); break;
            default: BlockProduct<T, Vector128<T>, MatrixProducts.Simd128<T>>.ShearedDepth(band, columns, operands); break;
        }
    }

    public static void ShearedRows(SimdPath path, Band band, int columns, in BlockOperands<T> operands)
    {
        if (operands.B.Tiles != null)
        {
            TileProduct.ShearedRows(band, columns, Single(operands));
            return;
        }

        switch (path)
        {
            case SimdPath.Vector512: BlockProduct<T, Vector512<T>, MatrixProducts.Simd512<T>>.ShearedRows(band, columns, operands); break;
            case SimdPath.Vector256: BlockProduct<T, Vector256<T>, MatrixProducts.Simd256<T>>.ShearedRows(band, columns, operands); break;
            default: BlockProduct<T, Vector128<T>, MatrixProducts.Simd128<T>>.ShearedRows(band, columns, operands); break;
        }
    }

    /// <summary>The operands as what they are: only float32 ones are packed in tiles.</summary>
    private static ref readonly BlockOperands<float> Single(in BlockOperands<T> operands) =>
        ref Unsafe.As<BlockOperands<T>, BlockOperands<float>>(ref Unsafe.AsRef(in operands));
}
