using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <summary>The windows of a pooling: numbers an axis, or one for all.</summary>
public readonly record struct PoolWindows(IReadOnlyList<int> Size)
{
    /// <summary>Distance between windows; their size when left out.</summary>
    public IReadOnlyList<int>? Stride { get; init; }

    /// <summary>Positions added on both sides, at most half a window; none when left out.</summary>
    public IReadOnlyList<int>? Padding { get; init; }

    /// <summary>Distance between the positions that a window reads; 1 when left out. Of maxima only.</summary>
    public IReadOnlyList<int>? Dilation { get; init; }

    /// <summary>Whether a last window may reach beyond the end, if it begins before it.</summary>
    public bool CeilMode { get; init; }

    internal int SizeOf(int axis) => Of(Size, axis, 1);

    internal int StrideOf(int axis) => Of(Stride, axis, SizeOf(axis));

    internal int PaddingOf(int axis) => Of(Padding, axis, 0);

    internal int DilationOf(int axis) => Of(Dilation, axis, 1);

    /// <summary>Windows along an axis of so many positions.</summary>
    internal int Count(int axis, int length)
    {
        int reach = (DilationOf(axis) * (SizeOf(axis) - 1)) + 1;
        int room = length + (2 * PaddingOf(axis)) - reach;
        if (room < 0) throw new ArgumentException($"windows of {reach} positions don't fit an axis of {length} with {PaddingOf(axis)} more on both sides");
        int count = ((CeilMode ? room + StrideOf(axis) - 1 : room) / StrideOf(axis)) + 1;
        return CeilMode && (count - 1) * StrideOf(axis) >= length + PaddingOf(axis) ? count - 1 : count;
    }

    private static int Of(IReadOnlyList<int>? numbers, int axis, int otherwise) => numbers is null || numbers.Count == 0 ? otherwise : numbers[numbers.Count == 1 ? 0 : axis];
}

/// <content>Pooling.</content>
public static partial class Ops
{
    /// <summary>The largest of each window of the last axis, and where it is in the axis (Int64): the first of equal ones.</summary>
    public static (Tensor Values, Tensor Indices) MaxPool1d(Tensor x, PoolWindows windows)
    {
        ArgumentNullException.ThrowIfNull(x);
        (Tensor values, Tensor indices) = MaxPool2d(Unsqueeze(x, -2), Above(windows));
        return (Squeeze(values, -2), Squeeze(indices, -2));
    }

    /// <summary>The largest of each window of the last two axes, and where it is, counted through both in order (Int64): the first of equal ones.</summary>
    public static (Tensor Values, Tensor Indices) MaxPool2d(Tensor x, PoolWindows windows)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank < 2) throw new ArgumentException($"MaxPool: shape {x.Shape} has too few axes");
        x = Contiguous(x);
        WindowPlan plan = PlanOf(x, windows);
        RequireOwnPosition(x, plan.Down, 0);
        RequireOwnPosition(x, plan.Across, 1);
        Tensor indices = Tensor.Empty(x.Shape.WithLast(2, plan.Down.Count, plan.Across.Count), DType.Int64, x.Device);
        x.Device.Kernels.MaxPool(x, plan, indices);
        Tensor values = TakeOf(Flatten(x, -2, -1), Flatten(indices, -2, -1), x.Shape.Rank - 2, x.Shape.WithLast(2, plan.Count));
        return (Reshape(values, indices.Shape.Extents), indices);
    }

    private static WindowPlan PlanOf(Tensor x, PoolWindows windows) => new(AxisOf(x, windows, 0), AxisOf(x, windows, 1));

    /// <summary>The windows along axis 0 (height) or 1 of the last two.</summary>
    private static WindowAxis AxisOf(Tensor x, PoolWindows windows, int axis)
    {
        int length = x.Shape[x.Shape.Rank - 2 + axis];
        ArgumentOutOfRangeException.ThrowIfLessThan(windows.SizeOf(axis), 1, nameof(windows));
        ArgumentOutOfRangeException.ThrowIfLessThan(windows.StrideOf(axis), 1, nameof(windows));
        ArgumentOutOfRangeException.ThrowIfLessThan(windows.DilationOf(axis), 1, nameof(windows));
        return new WindowAxis(length, windows.SizeOf(axis), windows.StrideOf(axis), windows.DilationOf(axis), windows.PaddingOf(axis), windows.Count(axis, length));
    }

    /// <summary>Checks that each window has a position that is not padding.</summary>
    private static void RequireOwnPosition(Tensor x, WindowAxis windows, int axis)
    {
        for (int i = 0; i < windows.Count; i++)
        {
            (int first, int end) = windows.Inside(i);
            if (first == end) throw new ArgumentException($"MaxPool: window {i} of axis {axis + x.Shape.Rank - 2} of shape {x.Shape} reads padding alone");
        }
    }

    /// <summary>The mean of each window of the last axis; with <paramref name="countPadding"/> added positions count as zeros.</summary>
    public static Tensor AvgPool1d(Tensor x, PoolWindows windows, bool countPadding = true)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Squeeze(AvgPool2d(Unsqueeze(x, -2), Above(windows), countPadding), -2);
    }

    /// <summary>The mean of each window of the last two axes; with <paramref name="countPadding"/> added positions count as zeros, and else those that are x's do. A divisor may be given instead.</summary>
    public static Tensor AvgPool2d(Tensor x, PoolWindows windows, bool countPadding = true, int? divisor = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank < 2) throw new ArgumentException($"AvgPool: shape {x.Shape} has too few axes");
        WindowPlan plan = PlanOf(x, windows with { Dilation = null });
        Tensor sums = Sum(WindowsOf(x, plan), [-2, -1]);
        if (divisor is { } given) return Scale(sums, 1.0 / given);
        Tensor counts = Unrecorded(() => Multiply(Unsqueeze(Counts(plan.Down), 1), Counts(plan.Across)));
        return Divide(sums, Cast(counts, x.DType));

        Tensor Counts(WindowAxis axis) => Indices(axis.Count, i =>
        {
            int start = (i * axis.Stride) - axis.Before;
            int end = Math.Min(start + axis.Size, axis.Length + axis.Before);
            return countPadding ? end - start : Math.Min(end, axis.Length) - Math.Max(start, 0);
        });
    }

    /// <summary>Means of windows of the last axis that divide it into <paramref name="length"/>: window i is ⌊i n / length⌋ … ⌈(i + 1) n / length⌉.</summary>
    public static Tensor AdaptiveAvgPool1d(Tensor x, int length)
    {
        ArgumentNullException.ThrowIfNull(x);
        return MatMul(x, Averages(x, x.Shape[^1], length));
    }

    /// <summary>The same for the last two axes.</summary>
    public static Tensor AdaptiveAvgPool2d(Tensor x, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(x);
        Tensor across = MatMul(x, Averages(x, x.Shape[^1], width));
        return MatMul(Averages(x, x.Shape[^2], height), across, transposeA: true);
    }

    private static PoolWindows Above(PoolWindows windows) => new([1, windows.SizeOf(0)])
    {
        Stride = [1, windows.StrideOf(0)],
        Padding = [0, windows.PaddingOf(0)],
        Dilation = [1, windows.DilationOf(0)],
        CeilMode = windows.CeilMode,
    };

    /// <summary>[n, length]: what means of windows are a product with.</summary>
    private static Tensor Averages(Tensor x, int n, int length)
    {
        Tensor matrix = Tensor.Zeros([n, length], DType.Float64);
        Span<double> values = matrix.AsSpan<double>();
        for (int i = 0; i < length; i++)
        {
            int start = (int)((long)i * n / length);
            int end = (int)((((long)i + 1) * n + length - 1) / length);
            for (int j = start; j < end; j++) values[(j * length) + i] = 1.0 / (end - start);
        }

        return matrix.To(x.DType).To(x.Device);
    }
}
