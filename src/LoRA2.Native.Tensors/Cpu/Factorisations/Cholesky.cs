using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Factorisations;

/// <summary>A = L Lᵀ of a symmetric positive definite matrix, of which the lower triangle is read.</summary>
internal static unsafe class Cholesky<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <exception cref="ArgumentException">The matrix is not positive definite.</exception>
    public static void Run(T* a, int n, T* l, int matrix)
    {
        new Span<T>(l, n * n).Clear();
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                T sum = a[(i * n) + j];
                for (int k = 0; k < j; k++) sum -= l[(i * n) + k] * l[(j * n) + k];
                if (i > j) l[(i * n) + j] = sum / l[(j * n) + j];
                else if (sum > T.Zero || T.IsNaN(sum)) l[(i * n) + i] = T.Sqrt(sum);
                else throw new ArgumentException($"Cholesky: matrix {matrix} is not positive definite: its leading minor of order {i + 1} is not");
            }
        }
    }
}
