using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Simd = LoRA2.Native.Tensors.Cpu.Vectors.Simd512<float>;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>Moves a finished block of sums of integers to C, with the scales of its rows and columns and what the product adds.</summary>
internal unsafe struct ByteEpilogue
{
    /// <summary>Rows of 32 sums.</summary>
    public int* Block;
    public int Rows;
    public int Columns;

    /// <summary>A factor for each row, and what every element of it is off.</summary>
    public float* RowScales;
    public float* RowOffsets;

    /// <summary>A factor for each column, and its weights' sum; whole vectors.</summary>
    public float* ColumnScales;
    public float* ColumnSums;

    /// <summary>Values added to every row, or null.</summary>
    public float* Bias;

    /// <summary>A value for each element, <see cref="ResidualStep"/> apart, or null.</summary>
    public float* Residual;
    public nint ResidualStep;
    public float Beta;
    public float* C;
    public nint CStep;

    /// <summary>C = RowScales · Block · ColumnScales + RowOffsets · ColumnSums + Bias + Beta · C + Residual. C may be where the block lies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run()
    {
        for (int j = 0; j < Columns; j += Simd.Count)
        {
            int count = Columns - j;
            (Simd scales, Simd sums, Simd bias) = (Simd.Load(ColumnScales + j), Simd.Load(ColumnSums + j), Bias == null ? default : Simd.LoadUpTo(Bias + j, count));
            for (int i = 0; i < Rows; i++)
            {
                float* to = C + (i * CStep) + j;
                Simd value = Unsafe.BitCast<Vector512<float>, Simd>(Vector512.ConvertToSingle(Vector512.Load(Block + (i * Tiles.TileShape.Lanes) + j)));
                value = Simd.MultiplyAdd(sums, Simd.Create(RowOffsets[i]), value * scales * Simd.Create(RowScales[i])) + bias;
                if (Beta != 0) value = Simd.MultiplyAdd(Simd.LoadUpTo(to, count), Simd.Create(Beta), value);
                if (Residual != null) value += Simd.LoadUpTo(Residual + (i * ResidualStep) + j, count);
                Simd.StoreUpTo(value, to, count);
            }
        }
    }
}
