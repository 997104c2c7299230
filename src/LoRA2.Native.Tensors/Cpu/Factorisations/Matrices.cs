using System.Numerics;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Factorisations;

/// <summary>Decompositions of every matrix of a batch. Each matrix is one part's.</summary>
internal static unsafe class Matrices
{
    public static void Factorise<T>(Factorisation kind, Tensor a, Tensor first, Tensor? second, Tensor? third)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int rows, int columns) = (a.Shape[^2], a.Shape[^1]);
        if (a.Count == 0) return;
        int batch = a.Count / (rows * columns);
        ThreadTeam.Run(batch, new Task<T>(kind, rows, columns, (T*)a.Pointer, first.Pointer, second is null ? null : second.Pointer, third is null ? null : third.Pointer));
    }

    /// <summary>y = op(a)⁻¹ b for triangular a [.., n, n], b and y [.., n, m]; with <paramref name="unit"/> the diagonal is taken for ones.</summary>
    public static void SolveTriangular<T>(Tensor a, bool upper, bool transposed, bool unit, Tensor b, Tensor y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int n, int m) = (b.Shape[^2], b.Shape[^1]);
        if (b.Count == 0) return;
        ThreadTeam.Run(b.Count / (n * m), new TriangularTask<T>((T*)a.Pointer, n, m, upper, transposed, unit, (T*)b.Pointer, (T*)y.Pointer));
    }

    private readonly struct Task<T>(Factorisation kind, int rows, int columns, T* a, byte* first, byte* second, byte* third) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            T* matrix = a + ((nint)index * rows * columns);
            int least = Math.Min(rows, columns);
            T* one = (T*)first;
            switch (kind)
            {
                case Factorisation.Cholesky:
                    Cholesky<T>.Run(matrix, rows, one + ((nint)index * rows * rows), index);
                    break;
                case Factorisation.LU:
                    LowerUpper<T>.Run(matrix, rows, one + ((nint)index * rows * rows), (long*)second + ((nint)index * rows));
                    break;
                case Factorisation.QR:
                    Householder<T>.Run(matrix, rows, columns, one + ((nint)index * rows * least), (T*)second + ((nint)index * least * columns));
                    break;
                default:
                    Jacobi<T>.Run(matrix, rows, columns, one + ((nint)index * rows * least), (T*)second + ((nint)index * least), (T*)third + ((nint)index * least * columns));
                    break;
            }
        }
    }

    private readonly struct TriangularTask<T>(T* a, int n, int m, bool upper, bool transposed, bool unit, T* b, T* y) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            T* matrix = a + ((nint)index * n * n);
            T* x = y + ((nint)index * n * m);
            new ReadOnlySpan<T>(b + ((nint)index * n * m), n * m).CopyTo(new Span<T>(x, n * m));
            bool forward = upper == transposed;
            for (int step = 0; step < n; step++)
            {
                int i = forward ? step : n - 1 - step;
                for (int k = forward ? 0 : i + 1; k < (forward ? i : n); k++)
                {
                    T factor = transposed ? matrix[(k * n) + i] : matrix[(i * n) + k];
                    for (int j = 0; j < m; j++) x[(i * m) + j] -= factor * x[(k * m) + j];
                }

                if (unit) continue;
                T diagonal = matrix[(i * n) + i];
                for (int j = 0; j < m; j++) x[(i * m) + j] /= diagonal;
            }
        }
    }
}
