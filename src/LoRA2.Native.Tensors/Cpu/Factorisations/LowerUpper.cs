using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Factorisations;

/// <summary>P A = L U with partial pivoting: L without its diagonal of ones below U's, in one matrix. A singular matrix gets a 0 on U's diagonal.</summary>
internal static unsafe class LowerUpper<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>order[i] is the row of A that row i of P A is.</summary>
    public static void Run(T* a, int n, T* lu, long* order)
    {
        new ReadOnlySpan<T>(a, n * n).CopyTo(new Span<T>(lu, n * n));
        for (int i = 0; i < n; i++) order[i] = i;
        for (int k = 0; k < n; k++)
        {
            int pivot = k;
            for (int i = k + 1; i < n; i++)
            {
                if (T.Abs(lu[(i * n) + k]) > T.Abs(lu[(pivot * n) + k])) pivot = i;
            }

            if (pivot != k)
            {
                (order[k], order[pivot]) = (order[pivot], order[k]);
                for (int j = 0; j < n; j++) (lu[(k * n) + j], lu[(pivot * n) + j]) = (lu[(pivot * n) + j], lu[(k * n) + j]);
            }

            T diagonal = lu[(k * n) + k];
            if (diagonal == T.Zero) continue;
            for (int i = k + 1; i < n; i++)
            {
                T factor = lu[(i * n) + k] /= diagonal;
                for (int j = k + 1; j < n; j++) lu[(i * n) + j] -= factor * lu[(k * n) + j];
            }
        }
    }
}
