using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>A thread's sums of eight columns.</summary>
internal struct Eight
{
    public Float4 Low;
    public Float4 High;

    public void Add(float x, Float4 low, Float4 high)
    {
        Low = Float4.MultiplyAdd(x, low, Low);
        High = Float4.MultiplyAdd(x, high, High);
    }

    /// <summary>The sum over the warp's lanes of column j, for lane j &lt; 8.</summary>
    public readonly float OfLane()
    {
        int lane = Group.IdxX % 32;
        float x0 = WarpReduction.Sum(Low.X), x1 = WarpReduction.Sum(Low.Y), x2 = WarpReduction.Sum(Low.Z), x3 = WarpReduction.Sum(Low.W);
        float x4 = WarpReduction.Sum(High.X), x5 = WarpReduction.Sum(High.Y), x6 = WarpReduction.Sum(High.Z), x7 = WarpReduction.Sum(High.W);
        return lane < 4 ? (lane < 2 ? (lane == 0 ? x0 : x1) : (lane == 2 ? x2 : x3)) : lane < 6 ? (lane == 4 ? x4 : x5) : (lane == 6 ? x6 : x7);
    }
}
