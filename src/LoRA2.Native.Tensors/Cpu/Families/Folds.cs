using System.Numerics;
using System.Numerics.Tensors;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>How many numbers become one: of a contiguous row, and of columns side by side whose elements are <c>inner</c> apart.</summary>
internal unsafe interface IFold<T, TResult>
    where T : unmanaged
    where TResult : unmanaged
{
    static abstract TResult Row(ReadOnlySpan<T> row);

    static abstract void Columns(T* x, nint length, nint inner, int width, TResult* y);
}

/// <summary>Σ, along a row in double.</summary>
internal readonly unsafe struct FloatSum<T> : IFold<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Row(ReadOnlySpan<T> row)
    {
        fixed (T* x = row) return T.CreateTruncating(Reduction.SumBlock(x, row.Length));
    }

    public static void Columns(T* x, nint length, nint inner, int width, T* y)
    {
        var sums = new Span<T>(y, width);
        sums.Clear();
        for (nint n = 0; n < length; n++) TensorPrimitives.Add(sums, new ReadOnlySpan<T>(x + (n * inner), width), sums);
    }
}

/// <summary>Σ of integers, as Int64.</summary>
internal readonly unsafe struct IntegerSum<T> : IFold<T, long>
    where T : unmanaged, IBinaryInteger<T>
{
    public static long Row(ReadOnlySpan<T> row)
    {
        long sum = 0;
        foreach (T value in row) sum += long.CreateTruncating(value);
        return sum;
    }

    public static void Columns(T* x, nint length, nint inner, int width, long* y)
    {
        new Span<long>(y, width).Clear();
        for (nint n = 0; n < length; n++)
        {
            for (int i = 0; i < width; i++) y[i] += long.CreateTruncating(x[(n * inner) + i]);
        }
    }
}

/// <summary>Π, along a row in double.</summary>
internal readonly unsafe struct FloatProduct<T> : IFold<T, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Row(ReadOnlySpan<T> row)
    {
        double product = 1;
        foreach (T value in row) product *= double.CreateTruncating(value);
        return T.CreateTruncating(product);
    }

    public static void Columns(T* x, nint length, nint inner, int width, T* y)
    {
        var products = new Span<T>(y, width);
        products.Fill(T.One);
        for (nint n = 0; n < length; n++) TensorPrimitives.Multiply(products, new ReadOnlySpan<T>(x + (n * inner), width), products);
    }
}

/// <summary>Π of integers, as Int64.</summary>
internal readonly unsafe struct IntegerProduct<T> : IFold<T, long>
    where T : unmanaged, IBinaryInteger<T>
{
    public static long Row(ReadOnlySpan<T> row)
    {
        long product = 1;
        foreach (T value in row) product *= long.CreateTruncating(value);
        return product;
    }

    public static void Columns(T* x, nint length, nint inner, int width, long* y)
    {
        new Span<long>(y, width).Fill(1);
        for (nint n = 0; n < length; n++)
        {
            for (int i = 0; i < width; i++) y[i] *= long.CreateTruncating(x[(n * inner) + i]);
        }
    }
}

/// <summary>The largest or the smallest; NaN when there is one.</summary>
internal readonly unsafe struct Extreme<T, TExtreme> : IFold<T, T>
    where T : unmanaged, INumber<T>
    where TExtreme : struct, IExtreme<T>
{
    public static T Row(ReadOnlySpan<T> row) => ExtremeRow.Of<T, TExtreme>(row);

    public static void Columns(T* x, nint length, nint inner, int width, T* y)
    {
        var extremes = new Span<T>(y, width);
        new ReadOnlySpan<T>(x, width).CopyTo(extremes);
        for (nint n = 1; n < length; n++) TExtreme.Of(extremes, new ReadOnlySpan<T>(x + (n * inner), width), extremes);
    }
}

/// <summary>Where the first is before which none goes, NaN before all: the largest or the smallest.</summary>
internal readonly unsafe struct FirstPlace<T, TOrder> : IFold<T, long>
    where T : unmanaged, INumber<T>
    where TOrder : struct, IEachBinary<T, bool>
{
    public static long Row(ReadOnlySpan<T> row)
    {
        int best = 0;
        for (int n = 1; n < row.Length; n++)
        {
            if (Beats(row[n], row[best])) best = n;
        }

        return best;
    }

    public static void Columns(T* x, nint length, nint inner, int width, long* y)
    {
        new Span<long>(y, width).Clear();
        for (nint n = 1; n < length; n++)
        {
            for (int i = 0; i < width; i++)
            {
                if (Beats(x[(n * inner) + i], x[((nint)y[i] * inner) + i])) y[i] = n;
            }
        }
    }

    private static bool Beats(T a, T b) => TOrder.Invoke(a, b) || (T.IsNaN(a) && !T.IsNaN(b));
}

/// <summary>Whether one is not 0.</summary>
internal readonly unsafe struct AnyTrue<T> : IFold<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Row(ReadOnlySpan<T> row)
    {
        foreach (T value in row)
        {
            if (value != T.Zero) return true;
        }

        return false;
    }

    public static void Columns(T* x, nint length, nint inner, int width, bool* y)
    {
        new Span<bool>(y, width).Clear();
        for (nint n = 0; n < length; n++)
        {
            for (int i = 0; i < width; i++) y[i] |= x[(n * inner) + i] != T.Zero;
        }
    }
}

/// <summary>Whether none is 0.</summary>
internal readonly unsafe struct AllTrue<T> : IFold<T, bool>
    where T : unmanaged, INumber<T>
{
    public static bool Row(ReadOnlySpan<T> row)
    {
        foreach (T value in row)
        {
            if (value == T.Zero) return false;
        }

        return true;
    }

    public static void Columns(T* x, nint length, nint inner, int width, bool* y)
    {
        new Span<bool>(y, width).Fill(true);
        for (nint n = 0; n < length; n++)
        {
            for (int i = 0; i < width; i++) y[i] &= x[(n * inner) + i] != T.Zero;
        }
    }
}
