using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// The low-rank update as a few more steps of a tile product. Both factors are split into bfloat16 terms, and the products of terms that
/// matter lie side by side along the depth: with two terms, [L₀ L₀ L₁] · [R₀; R₁; R₀]. At rank 10 and below that is one step of 32, with
/// some 16 bits; with three terms (six products, ranks to 5 in one step), close to float32.
/// </summary>
internal static unsafe class LowRankTerms
{
    private const int Lanes = TileShape.Lanes;

    /// <summary>Which terms of the left and of the right factor are multiplied.</summary>
    private static ReadOnlySpan<byte> LeftTerms => [0, 0, 1, 1, 0, 2];

    private static ReadOnlySpan<byte> RightTerms => [0, 1, 0, 1, 2, 0];

    /// <summary>Depth of the update's product: 3 · rank, or 6 · rank where the main product's operands have three terms.</summary>
    public static nint Depth(int rank, int terms) => (nint)rank * Products(terms);

    /// <summary>Bytes of a packed strip or panel of a factor.</summary>
    public static nint SliceBytes(int rank, int terms) => TileShape.SliceBytes(Depth(rank, terms), 1);

    /// <summary>Floats that <see cref="PackLeft"/> and <see cref="PackRight"/> use.</summary>
    public static nint ScratchFloats(int rank, int terms) => Depth(rank, terms) * Lanes;

    /// <summary>Packs up to 32 rows of the left factor, times <paramref name="scale"/>.</summary>
    public static void PackLeft(float* left, nint step, int rows, int rank, float scale, int terms, float* scratch, byte* destination)
    {
        nint depth = Depth(rank, terms);
        for (int i = 0; i < rows; i++) Split(left + i * step, rank, rank, scale, terms, LeftTerms, scratch + i * depth);
        TilePacking<float, FloatSource>.Pack(scratch, depth, true, true, rows, depth, 1, 1, destination);
    }

    /// <summary>Packs up to 32 columns of the right factor (rank × columns, or its transpose).</summary>
    public static void PackRight(float* right, nint step, bool transposed, int columns, int rank, int terms, float* scratch, byte* destination)
    {
        nint depth = Depth(rank, terms);
        if (transposed)
        {
            for (int j = 0; j < columns; j++) Split(right + j * step, rank, rank, 1, terms, RightTerms, scratch + j * depth);
            TilePacking<float, FloatSource>.Pack(scratch, depth, true, false, columns, depth, 1, 1, destination);
        }
        else
        {
            for (int q = 0; q < rank; q++)
                Split(right + q * step, columns, (nint)rank * Lanes, 1, terms, RightTerms, scratch + (nint)q * Lanes);
            TilePacking<float, FloatSource>.Pack(scratch, Lanes, false, false, columns, depth, 1, 1, destination);
        }
    }

    private static int Products(int terms) => terms == 3 ? 6 : 3;

    /// <summary>
    /// For each product the wanted terms of the elements, those of one product <paramref name="apart"/> floats after those of the last.
    /// </summary>
    private static void Split(float* source, int count, nint apart, float scale, int terms, ReadOnlySpan<byte> wanted, float* destination)
    {
        if (SimdPaths.Are512) Split<Vectors.Simd512<float>>(source, count, apart, scale, terms, wanted, destination);
        else Split<Vectors.Simd256<float>>(source, count, apart, scale, terms, wanted, destination);
    }

    private static void Split<TSimd>(float* source, int count, nint apart, float scale, int terms, ReadOnlySpan<byte> wanted, float* destination)
        where TSimd : unmanaged, Vectors.ISimd<TSimd, float>
    {
        TSimd factor = TSimd.Create(scale);
        for (int j = 0; j < count; j += TSimd.Count)
        {
            int length = Math.Min(TSimd.Count, count - j);
            TSimd value = TSimd.LoadPartial(source + j, length, default) * factor;
            TSimd first = BFloat16Rounding.Rounded(value), second = BFloat16Rounding.Rounded(value - first), third = BFloat16Rounding.Rounded(value - first - second);
            for (int p = 0; p < Products(terms); p++)
                TSimd.StorePartial(wanted[p] == 0 ? first : wanted[p] == 1 ? second : third, destination + p * apart + j, length);
        }
    }
}
