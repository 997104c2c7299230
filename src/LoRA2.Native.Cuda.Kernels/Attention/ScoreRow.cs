using ILGPU;
using LoRA2.Native.Cuda.Kernels.Elementwise;

namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>One row of a tile of scores, over the 16 threads that share it, four elements each.</summary>
internal static class ScoreRow
{
    /// <summary>Below every score; a masked score.</summary>
    public const float Lowest = float.NegativeInfinity;

    public static float Largest(Float4 x, float start)
    {
        float largest = Larger(Larger(x.X, x.Y), Larger(x.Z, x.W));
        largest = Larger(largest, Warp.ShuffleXor(largest, 8));
        largest = Larger(largest, Warp.ShuffleXor(largest, 4));
        largest = Larger(largest, Warp.ShuffleXor(largest, 2));
        largest = Larger(largest, Warp.ShuffleXor(largest, 1));
        return Larger(largest, start);
    }

    public static float Sum(float x)
    {
        x += Warp.ShuffleXor(x, 8);
        x += Warp.ShuffleXor(x, 4);
        x += Warp.ShuffleXor(x, 2);
        return x + Warp.ShuffleXor(x, 1);
    }

    public static float Sum(Float4 x) => Sum((x.X + x.Y) + (x.Z + x.W));

    public static float Dot(Float4 x, Float4 y) => (x.X * y.X) + (x.Y * y.Y) + ((x.Z * y.Z) + (x.W * y.W));

    /// <summary>e^(x − shift); a masked row's largest is no shift.</summary>
    public static Float4 Exp(Float4 x, float largest)
    {
        float shift = largest == Lowest ? 0 : largest;
        return new Float4(Single.Exp(x.X - shift), Single.Exp(x.Y - shift), Single.Exp(x.Z - shift), Single.Exp(x.W - shift));
    }

    /// <summary>What sums made with the old largest are to be multiplied by.</summary>
    public static float Rescale(float old, float largest) => old == Lowest ? 0 : Single.Exp(old - largest);

    public static Float4 Scaled(Float4 x, float s) => new(x.X * s, x.Y * s, x.Z * s, x.W * s);

    /// <summary>Bits 0 … 3: which of four elements from <paramref name="index"/> on a dropout keeps.</summary>
    public static uint Kept(DropoutWords words, uint index)
    {
        uint bits = KeptOfBlock(words, index >> 2);
        if ((index & 3) != 0) bits |= KeptOfBlock(words, (index >> 2) + 1) << 4;
        return bits >> (int)(index & 3);
    }

    /// <summary>x times scale where kept, else 0.</summary>
    public static Float4 Drop(Float4 x, uint kept, float scale) => new(
        (kept & 1) != 0 ? x.X * scale : 0, (kept & 2) != 0 ? x.Y * scale : 0, (kept & 4) != 0 ? x.Z * scale : 0, (kept & 8) != 0 ? x.W * scale : 0);

    private static uint KeptOfBlock(DropoutWords words, uint block)
    {
        Float4 ones = words.Of(new Float4(1, 1, 1, 1), block);
        return (ones.X != 0 ? 1u : 0u) | (ones.Y != 0 ? 2u : 0u) | (ones.Z != 0 ? 4u : 0u) | (ones.W != 0 ? 8u : 0u);
    }

    private static float Larger(float a, float b) => a > b ? a : b;
}
