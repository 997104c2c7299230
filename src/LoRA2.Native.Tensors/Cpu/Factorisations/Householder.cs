using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Factorisations;

/// <summary>A = Q R, reduced, by Householder reflections as LAPACK's geqrf makes them: a diagonal element of R has the sign opposite to the one it replaces.</summary>
internal static unsafe class Householder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static void Run(T* a, int m, int n, T* q, T* r)
    {
        int least = Math.Min(m, n);
        T* work = Scratch.Get<T>(ScratchSlot.Row, ((nint)m * n) + least);
        T* tau = work + ((nint)m * n);
        new ReadOnlySpan<T>(a, m * n).CopyTo(new Span<T>(work, m * n));
        for (int k = 0; k < least; k++)
        {
            T tail = T.Zero;
            for (int i = k + 1; i < m; i++) tail += work[(i * n) + k] * work[(i * n) + k];
            T alpha = work[(k * n) + k];
            if (tail == T.Zero)
            {
                tau[k] = T.Zero;
                continue;
            }

            T beta = -T.CopySign(T.Sqrt((alpha * alpha) + tail), alpha);
            tau[k] = (beta - alpha) / beta;
            T scale = T.One / (alpha - beta);
            for (int i = k + 1; i < m; i++) work[(i * n) + k] *= scale;
            work[(k * n) + k] = beta;
            Reflect(work, m, n, k, tau[k], work, n, k + 1, n);
        }

        new Span<T>(r, least * n).Clear();
        for (int i = 0; i < least; i++)
        {
            for (int j = i; j < n; j++) r[(i * n) + j] = work[(i * n) + j];
        }

        new Span<T>(q, m * least).Clear();
        for (int i = 0; i < least; i++) q[(i * least) + i] = T.One;
        for (int k = least - 1; k >= 0; k--) Reflect(work, m, n, k, tau[k], q, least, k, least);
    }

    /// <summary>Applies reflection k, of which column k of <paramref name="v"/> has the tail, to some columns of a matrix.</summary>
    private static void Reflect(T* v, int m, int n, int k, T tau, T* x, int width, int from, int to)
    {
        if (tau == T.Zero) return;
        for (int j = from; j < to; j++)
        {
            T dot = x[(k * width) + j];
            for (int i = k + 1; i < m; i++) dot += v[(i * n) + k] * x[(i * width) + j];
            dot *= tau;
            x[(k * width) + j] -= dot;
            for (int i = k + 1; i < m; i++) x[(i * width) + j] -= v[(i * n) + k] * dot;
        }
    }
}
