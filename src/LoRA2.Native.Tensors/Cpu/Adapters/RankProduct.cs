using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Adapters;

/// <summary>
/// Products of row-major matrices of which all extents but one are ranks, on one thread and without packing: such a matrix is read once, in order, or once
/// for each register's width of ranks. Rows past the last whole block are clamped to the last row and not stored; columns past the last whole register are masked.
/// </summary>
internal static unsafe class RankProduct
{
    private const int SumRows = 8, ProductRows = 4;

    /// <summary>c = aᵀ b for a [rows, m] and b [rows, n], summed in the order of the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OverRows<TSimd, T>(T* a, int m, T* b, int n, nint rows, T* c)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int j = 0; j < n; j += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, n - j);
            for (int i = 0; i < m; i += SumRows) SumBlock<TSimd, T>(a + i, m, Math.Min(SumRows, m - i), b + j, n, lanes, rows, c + ((nint)i * n) + j);
        }
    }

    /// <summary>c = x xᵀ for x [m, columns].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OverColumns<TSimd, T>(T* x, int m, int columns, T* c)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < m; i += ProductRows)
        {
            for (int j = i; j < m; j += ProductRows) DotBlock<TSimd, T>(x, i, j, m, columns, c);
        }
    }

    /// <summary>y = (or +=) x c for x [rows, k] and c [k, n].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TSimd, T>(T* x, nint rows, int k, T* c, int n, T* y, bool add)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int j = 0; j < n; j += TSimd.Count)
        {
            int lanes = Math.Min(TSimd.Count, n - j);
            for (nint i = 0; i < rows; i += ProductRows)
                ProductBlock<TSimd, T>(x + (i * k), k, (int)Math.Min(ProductRows, rows - i), c + j, n, lanes, y + (i * n) + j, add);
        }
    }

    /// <summary>to = fromᵀ for from [rows, columns].</summary>
    public static void Transpose<T>(T* from, int rows, int columns, T* to)
        where T : unmanaged
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) to[((nint)j * rows) + i] = from[((nint)i * columns) + j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumBlock<TSimd, T>(T* a, int m, int count, T* b, int n, int lanes, nint rows, T* c)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int last = count - 1;
        nint o1 = Math.Min(1, last), o2 = Math.Min(2, last), o3 = Math.Min(3, last), o4 = Math.Min(4, last), o5 = Math.Min(5, last), o6 = Math.Min(6, last), o7 = last;
        TSimd s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (; rows > 0; rows--, a += m, b += n)
        {
            TSimd row = lanes == TSimd.Count ? TSimd.Load(b) : TSimd.LoadPartial(b, lanes, default);
            s0 = TSimd.MultiplyAdd(TSimd.Create(a[0]), row, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Create(a[o1]), row, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Create(a[o2]), row, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Create(a[o3]), row, s3);
            s4 = TSimd.MultiplyAdd(TSimd.Create(a[o4]), row, s4);
            s5 = TSimd.MultiplyAdd(TSimd.Create(a[o5]), row, s5);
            s6 = TSimd.MultiplyAdd(TSimd.Create(a[o6]), row, s6);
            s7 = TSimd.MultiplyAdd(TSimd.Create(a[o7]), row, s7);
        }

        TSimd* sums = stackalloc TSimd[SumRows];
        sums[0] = s0;
        sums[1] = s1;
        sums[2] = s2;
        sums[3] = s3;
        sums[4] = s4;
        sums[5] = s5;
        sums[6] = s6;
        sums[7] = s7;
        for (int i = 0; i < count; i++) TSimd.StorePartial(sums[i], c + ((nint)i * n), lanes);
    }

    /// <summary>The dot products of rows i … i + 3 with rows j … j + 3, at (i, j) and at (j, i).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DotBlock<TSimd, T>(T* x, int i, int j, int m, int columns, T* c)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        nint width = columns;
        int last = m - 1;
        T* a0 = x + (i * width);
        T* a1 = x + (Math.Min(i + 1, last) * width);
        T* a2 = x + (Math.Min(i + 2, last) * width);
        T* a3 = x + (Math.Min(i + 3, last) * width);
        for (int q = j; q < Math.Min(j + ProductRows, m); q++)
        {
            T* b = x + (q * width);
            TSimd s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
            int p = 0;
            for (; p <= columns - (2 * TSimd.Count); p += 2 * TSimd.Count)
            {
                (TSimd even, TSimd odd) = (TSimd.Load(b + p), TSimd.Load(b + p + TSimd.Count));
                s0 = TSimd.MultiplyAdd(TSimd.Load(a0 + p), even, s0);
                s1 = TSimd.MultiplyAdd(TSimd.Load(a1 + p), even, s1);
                s2 = TSimd.MultiplyAdd(TSimd.Load(a2 + p), even, s2);
                s3 = TSimd.MultiplyAdd(TSimd.Load(a3 + p), even, s3);
                t0 = TSimd.MultiplyAdd(TSimd.Load(a0 + p + TSimd.Count), odd, t0);
                t1 = TSimd.MultiplyAdd(TSimd.Load(a1 + p + TSimd.Count), odd, t1);
                t2 = TSimd.MultiplyAdd(TSimd.Load(a2 + p + TSimd.Count), odd, t2);
                t3 = TSimd.MultiplyAdd(TSimd.Load(a3 + p + TSimd.Count), odd, t3);
            }

            for (; p < columns; p += TSimd.Count)
            {
                int lanes = Math.Min(TSimd.Count, columns - p);
                TSimd rest = TSimd.LoadPartial(b + p, lanes, default);
                s0 = TSimd.MultiplyAdd(TSimd.LoadPartial(a0 + p, lanes, default), rest, s0);
                s1 = TSimd.MultiplyAdd(TSimd.LoadPartial(a1 + p, lanes, default), rest, s1);
                s2 = TSimd.MultiplyAdd(TSimd.LoadPartial(a2 + p, lanes, default), rest, s2);
                s3 = TSimd.MultiplyAdd(TSimd.LoadPartial(a3 + p, lanes, default), rest, s3);
            }

            Set(c, m, i, q, TSimd.Sum(s0 + t0));
            if (i + 1 < m) Set(c, m, i + 1, q, TSimd.Sum(s1 + t1));
            if (i + 2 < m) Set(c, m, i + 2, q, TSimd.Sum(s2 + t2));
            if (i + 3 < m) Set(c, m, i + 3, q, TSimd.Sum(s3 + t3));
        }
    }

    private static void Set<T>(T* c, int m, int i, int j, T value)
        where T : unmanaged
    {
        c[((nint)i * m) + j] = value;
        c[((nint)j * m) + i] = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ProductBlock<TSimd, T>(T* x, int k, int count, T* c, int n, int lanes, T* y, bool add)
        where TSimd : unmanaged, ISimd<TSimd, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int last = count - 1;
        int r1 = Math.Min(1, last), r2 = Math.Min(2, last), r3 = last;
        T* x1 = x + ((nint)r1 * k);
        T* x2 = x + ((nint)r2 * k);
        T* x3 = x + ((nint)r3 * k);
        TSimd s0 = default, s1 = default, s2 = default, s3 = default;
        if (add)
        {
            s0 = TSimd.LoadPartial(y, lanes, default);
            s1 = TSimd.LoadPartial(y + ((nint)r1 * n), lanes, default);
            s2 = TSimd.LoadPartial(y + ((nint)r2 * n), lanes, default);
            s3 = TSimd.LoadPartial(y + ((nint)r3 * n), lanes, default);
        }

        for (int j = 0; j < k; j++, c += n)
        {
            TSimd row = lanes == TSimd.Count ? TSimd.Load(c) : TSimd.LoadPartial(c, lanes, default);
            s0 = TSimd.MultiplyAdd(TSimd.Create(x[j]), row, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Create(x1[j]), row, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Create(x2[j]), row, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Create(x3[j]), row, s3);
        }

        TSimd.StorePartial(s0, y, lanes);
        if (count > 1) TSimd.StorePartial(s1, y + n, lanes);
        if (count > 2) TSimd.StorePartial(s2, y + (2 * (nint)n), lanes);
        if (count > 3) TSimd.StorePartial(s3, y + (3 * (nint)n), lanes);
    }
}
