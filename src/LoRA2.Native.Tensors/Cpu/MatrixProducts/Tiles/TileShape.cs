namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Sizes of packed bfloat16 operands.</summary>
internal static class TileShape
{
    /// <summary>Rows of a strip of A, and columns of a panel of B: two tiles.</summary>
    public const int Lanes = 32;

    /// <summary>Terms of the sum in one step.</summary>
    public const int Depth = 32;

    /// <summary>Floats that hold a block of 32 × 32 sums with room for <see cref="Align"/>.</summary>
    public const int BlockFloats = (Lanes * Lanes) + 16;

    /// <summary>The first address at or after this one that is a multiple of 64.</summary>
    public static unsafe float* Align(float* block) => (float*)(((nint)block + 63) & ~63);

    /// <summary>Steps that cover a depth.</summary>
    public static nint Steps(nint depth) => (depth + Depth - 1) / Depth;

    /// <summary>Bytes of a strip or panel.</summary>
    public static nint SliceBytes(nint depth, int terms) => Steps(depth) * terms * BlockCode.GroupBytes;

    /// <summary>Strips or panels that cover a number of rows or columns.</summary>
    public static int Slices(int lanes) => (int)(((long)lanes + Lanes - 1) / Lanes);

    /// <summary>Bfloat16 terms an operand is split into.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The precision is not one of bfloat16 terms.</exception>
    public static int Terms(Precision precision) => precision switch
    {
        Precision.BFloat16 => 1,
        Precision.BFloat16x3 => 2,
        Precision.BFloat16x6 => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "Not a precision of bfloat16 terms."),
    };
}
