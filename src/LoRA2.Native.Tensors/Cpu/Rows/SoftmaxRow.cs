using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>
/// Softmax of one row on this thread: y_i = e^(s x_i − m) / Σ_j e^(s x_j − m), with m the largest s x_j among the kept elements.
/// Masked elements are exactly 0, and so is all of a row with no kept element above −∞. NaN in a kept element makes the row NaN.
/// </summary>
internal static unsafe class SoftmaxRow
{
    /// <summary>
    /// y = softmax(scale · x) over the elements whose <paramref name="mask"/> is not 0 (all, if it is null). <paramref name="y"/> may be
    /// <paramref name="x"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<TSimd, T>(T* x, int* mask, T scale, nint count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd factor = TSimd.Create(scale);
        TSimd lowest = TSimd.Create(T.NegativeInfinity);
        nint full = count - (count % TSimd.Count);
        int rest = (int)(count - full);

        TSimd largest = lowest;
        for (nint i = 0; i < full; i += TSimd.Count)
        {
            TSimd v = TSimd.Load(x + i) * factor;
            if (mask != null) v = TSimd.Select(TSimd.LoadMask(mask + i), v, lowest);
            TSimd.Store(v, y + i);
            largest = TSimd.Max(v, largest);
        }

        // The partial register stays in a register from here to the end: reloading a masked store at once would stall.
        TSimd last = lowest;
        if (rest > 0)
        {
            TSimd keep = mask == null ? TSimd.FirstLanes(rest) : TSimd.LoadMaskPartial(mask + full, rest);
            last = TSimd.Select(keep, TSimd.LoadPartial(x + full, rest, default) * factor, lowest);
            largest = TSimd.Max(last, largest);
        }

        T m = TSimd.Largest(largest);
        if (!(m > T.NegativeInfinity))
        {
            TSimd.StorePartial(last, y + full, rest);
            Degenerate(count, y);
            return;
        }

        TSimd shift = TSimd.Create(m);
        TSimd sum = default;
        for (nint i = 0; i < full; i += TSimd.Count)
        {
            TSimd e = VectorMath.ExpNotPositive<TSimd, T>(TSimd.Load(y + i) - shift);
            TSimd.Store(e, y + i);
            sum += e;
        }

        if (rest > 0)
        {
            last = Exp<TSimd, T>(last, shift);
            sum += last;
        }

        TSimd inverse = TSimd.Create(T.One / TSimd.Sum(sum));
        for (nint i = 0; i < full; i += TSimd.Count) TSimd.Store(TSimd.Load(y + i) * inverse, y + i);
        if (rest > 0) TSimd.StorePartial(last * inverse, y + full, rest);
    }

    /// <summary>
    /// dx = (or +=) scale · y (dy − Σ_j y_j dy_j), the gradient of the forward function from its output. <paramref name="dx"/> may be
    /// <paramref name="dy"/>. Masked elements get 0, for any finite dy.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<TSimd, T>(T* y, T* dy, T scale, nint count, T* dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        nint full = count - (count % TSimd.Count);
        int rest = (int)(count - full);
        TSimd sum = default;
        for (nint i = 0; i < full; i += TSimd.Count) sum = TSimd.MultiplyAdd(TSimd.Load(y + i), TSimd.Load(dy + i), sum);
        if (rest > 0)
            sum = TSimd.MultiplyAdd(TSimd.LoadPartial(y + full, rest, default), TSimd.LoadPartial(dy + full, rest, default), sum);

        TSimd dot = TSimd.Create(TSimd.Sum(sum));
        TSimd factor = TSimd.Create(scale);
        for (nint i = 0; i < full; i += TSimd.Count)
        {
            TSimd v = factor * TSimd.Load(y + i) * (TSimd.Load(dy + i) - dot);
            TSimd.Store(accumulate ? TSimd.Load(dx + i) + v : v, dx + i);
        }

        if (rest > 0)
        {
            TSimd v = factor * TSimd.LoadPartial(y + full, rest, default) * (TSimd.LoadPartial(dy + full, rest, default) - dot);
            if (accumulate) v = TSimd.LoadPartial(dx + full, rest, default) + v;
            TSimd.StorePartial(v, dx + full, rest);
        }
    }

    /// <summary>e^(value − shift), and 0 for −∞, which the lanes past a row's end are: their exponential would be made of numbers too small for the format, which takes a processor a hundred cycles and more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Exp<TSimd, T>(TSimd value, TSimd shift)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd none = TSimd.LessThan(value, VectorMath.Constant<TSimd, T>(typeof(T) == typeof(float) ? float.MinValue : double.MinValue));
        return TSimd.Select(none, default, VectorMath.ExpNotPositive<TSimd, T>(TSimd.Select(none, shift, value) - shift));
    }

    // y holds the scaled row with −∞ where masked, and its largest element is −∞ or NaN lost it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Degenerate<T>(nint count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        bool nan = false;
        for (nint i = 0; i < count; i++) nan |= T.IsNaN(y[i]);
        for (nint i = 0; i < count; i++) y[i] = nan ? T.NaN : T.Zero;
    }
}
