using ILGPU;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>Sums and maxima of a value of each lane of a warp, in a fixed order; every lane gets the result.</summary>
internal static class WarpReduction
{
    public static float Sum(float value)
    {
        value += Warp.ShuffleXor(value, 16);
        value += Warp.ShuffleXor(value, 8);
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }

    public static double Sum(double value)
    {
        value += Warp.ShuffleXor(value, 16);
        value += Warp.ShuffleXor(value, 8);
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }

    public static uint Sum(uint value)
    {
        value += Warp.ShuffleXor(value, 16);
        value += Warp.ShuffleXor(value, 8);
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }

    /// <summary>The largest value that is a number.</summary>
    public static float Max(float value)
    {
        value = IntrinsicMath.Max(value, Warp.ShuffleXor(value, 16));
        value = IntrinsicMath.Max(value, Warp.ShuffleXor(value, 8));
        value = IntrinsicMath.Max(value, Warp.ShuffleXor(value, 4));
        value = IntrinsicMath.Max(value, Warp.ShuffleXor(value, 2));
        return IntrinsicMath.Max(value, Warp.ShuffleXor(value, 1));
    }
}
