using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Simd = LoRA2.Native.Tensors.Cpu.Vectors.Simd512<float>;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>Moves a finished block of sums of integers to C, with the scales of its rows and columns and what the product adds.</summary>
internal unsafe struct ByteEpilogue
{
    private const int Count = 16;

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
        for (int j = 0; j < Columns; j += Count)
        {
            int count = Math.Min(Count, Columns - j);
            (Vector512<float> scales, Vector512<float> sums) = (Vector512.Load(ColumnScales + j), Vector512.Load(ColumnSums + j));
            Vector512<float> bias = Bias == null ? default : Load(Bias + j, count);
            for (int i = 0; i < Rows; i++)
            {
                float* to = C + (i * CStep) + j;
                Vector512<float> value = Vector512.ConvertToSingle(Vector512.Load(Block + (i * Tiles.TileShape.Lanes) + j)) * scales;
                value = Vector512.FusedMultiplyAdd(sums, Vector512.Create(RowOffsets[i]), value * Vector512.Create(RowScales[i])) + bias;
                if (Beta != 0) value = Vector512.FusedMultiplyAdd(Load(to, count), Vector512.Create(Beta), value);
                if (Residual != null) value += Load(Residual + (i * ResidualStep) + j, count);
                if (count == Count) value.Store(to);
                else Simd.StorePartial(Unsafe.BitCast<Vector512<float>, Simd>(value), to, count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load(float* source, int count) =>
        count == Count ? Vector512.Load(source) : Unsafe.BitCast<Simd, Vector512<float>>(Simd.LoadPartial(source, count, default));
}
