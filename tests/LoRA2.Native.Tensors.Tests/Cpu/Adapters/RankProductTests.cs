using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Adapters;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu.Adapters;

/// <summary>Against plain loops in double, on every SIMD path, for ranks below, at and above a register's width.</summary>
public sealed unsafe class RankProductTests : KernelTest
{
    private static readonly int[] Ranks = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

    private static readonly int[] Longs = [0, 1, 2, 3, 5, 8, 31, 32, 67, 257];

    private enum Kind
    {
        OverRows,
        OverColumns,
        Multiply,
        MultiplyAdd,
    }

    [Fact]
    public void ProductsFloat() => All<float>();

    [Fact]
    public void ProductsDouble() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int turn = 0;
        foreach (int rank in Ranks)
        {
            foreach (int length in Longs)
            {
                int other = Ranks[++turn % Ranks.Length];
                double[] tall = Random(length * rank, 1), otherTall = Random(length * other, 2), small = Random(rank * other, 3), wide = Random(rank * length, 4), otherSmall = Random(other * rank, 5);
                Check<T>(Kind.OverRows, rank, length, other, tall, otherTall, Product(rank, length, other, (i, p) => tall[(p * rank) + i], (p, j) => otherTall[(p * other) + j]));
                Check<T>(Kind.OverColumns, rank, length, rank, wide, [], Product(rank, length, rank, (i, p) => wide[(i * length) + p], (p, j) => wide[(j * length) + p]));
                foreach (Kind kind in (Kind[])[Kind.Multiply, Kind.MultiplyAdd])
                {
                    Check<T>(kind, length, rank, other, tall, small, Product(length, rank, other, (i, p) => tall[(i * rank) + p], (p, j) => small[(p * other) + j]));
                    Check<T>(kind, other, rank, length, otherSmall, wide, Product(other, rank, length, (i, p) => otherSmall[(i * rank) + p], (p, j) => wide[(p * length) + j]));
                }
            }
        }
    }

    private static double[] Product(int m, int k, int n, Func<int, int, double> a, Func<int, int, double> b)
    {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int p = 0; p < k; p++) c[(i * n) + j] += a(i, p) * b(p, j);
            }
        }

        return c;
    }

    private static void Check<T>(Kind kind, int m, int k, int n, double[] a, double[] b, double[] expected)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] start = kind == Kind.MultiplyAdd ? Random(expected.Length, 6) : [.. expected.Select(_ => double.NaN)];
        if (kind == Kind.MultiplyAdd) expected = [.. expected.Zip(start, (x, y) => x + y)];
        using GuardedArray<T> left = Array<T>(a), right = Array<T>(b);
        try
        {
            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
            {
                SimdPaths.Forced = path;
                using GuardedArray<T> c = Array<T>(start);
                SimdTask.Run<T, ProductTask<T>>(1, new(kind, left.Pointer, right.Pointer, m, k, n, c.Pointer));
                Close(expected, c, single: 2e-6 * Math.Max(k, 1), twice: 1e-14 * Math.Max(k, 1));
            }
        }
        finally
        {
            SimdPaths.Forced = null;
        }
    }

    private readonly struct ProductTask<T>(Kind kind, T* a, T* b, int m, int k, int n, T* c) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            if (kind == Kind.OverRows) RankProduct.OverRows<TSimd, T>(a, m, b, n, k, c);
            else if (kind == Kind.OverColumns) RankProduct.OverColumns<TSimd, T>(a, m, k, c);
            else RankProduct.Multiply<TSimd, T>(a, m, k, b, n, c, kind == Kind.MultiplyAdd);
        }
    }
}
