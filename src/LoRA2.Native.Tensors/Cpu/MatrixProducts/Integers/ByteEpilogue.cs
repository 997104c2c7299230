using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.Vectors;

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
    public readonly void Run()
    {
        if (SimdPaths.Are512) Run<Vectors.Simd512<float>>();
        else Run<Vectors.Simd256<float>>();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Run<TSimd>()
        where TSimd : unmanaged, Vectors.ISimd<TSimd, float>
    {
        for (int j = 0; j < Columns; j += TSimd.Count)
        {
            int count = Columns - j;
            (TSimd scales, TSimd sums, TSimd bias) = (TSimd.Load(ColumnScales + j), TSimd.Load(ColumnSums + j), Bias == null ? default : SimdEnds.LoadUpTo<TSimd, float>(Bias + j, count));
            for (int i = 0; i < Rows; i++)
            {
                float* to = C + (i * CStep) + j;
                TSimd value = Converted<TSimd>(Block + (i * Tiles.TileShape.Lanes) + j);
                value = TSimd.MultiplyAdd(sums, TSimd.Create(RowOffsets[i]), value * scales * TSimd.Create(RowScales[i])) + bias;
                if (Beta != 0) value = TSimd.MultiplyAdd(SimdEnds.LoadUpTo<TSimd, float>(to, count), TSimd.Create(Beta), value);
                if (Residual != null) value += SimdEnds.LoadUpTo<TSimd, float>(Residual + (i * ResidualStep) + j, count);
                SimdEnds.StoreUpTo(value, to, count);
            }
        }
    }

    /// <summary>Integers as floats, in 512 or 256 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Converted<TSimd>(int* source)
        where TSimd : unmanaged, Vectors.ISimd<TSimd, float> => typeof(TSimd) == typeof(Vectors.Simd512<float>)
        ? Unsafe.BitCast<Vector512<float>, TSimd>(Vector512.ConvertToSingle(Vector512.Load(source)))
        : Unsafe.BitCast<Vector256<float>, TSimd>(Vector256.ConvertToSingle(Vector256.Load(source)));
}
