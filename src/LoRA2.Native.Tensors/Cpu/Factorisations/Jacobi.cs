using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Factorisations;

/// <summary>The singular value decomposition by one-sided Jacobi rotations (Hestenes): slow and exact to the last digits.</summary>
internal static unsafe class Jacobi<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int MostSweeps = 60;

    /// <summary>u [m, k], s [k] descending and vt [k, n] with a = u diag(s) vt, k the less of m and n.</summary>
    public static void Run(T* a, int m, int n, T* u, T* s, T* vt)
    {
        bool wide = m < n;
        (int tall, int k) = wide ? (n, m) : (m, n);
        // Rows of w are the columns of the tall matrix; rows of v are those of the rotations.
        T* w = Scratch.Get<T>(ScratchSlot.Row, ((nint)k * tall) + ((nint)k * k) + k);
        T* v = w + ((nint)k * tall);
        for (int j = 0; j < k; j++)
        {
            for (int i = 0; i < tall; i++) w[(j * tall) + i] = wide ? a[(j * n) + i] : a[(i * n) + j];
            for (int i = 0; i < k; i++) v[(j * k) + i] = i == j ? T.One : T.Zero;
        }

        for (int sweep = 0; sweep < MostSweeps && Sweep(w, v, tall, k); sweep++)
        {
        }

        T* norms = v + ((nint)k * k);
        for (int j = 0; j < k; j++)
        {
            T sum = T.Zero;
            for (int i = 0; i < tall; i++) sum += w[(j * tall) + i] * w[(j * tall) + i];
            norms[j] = T.Sqrt(sum);
        }

        Descending(w, v, norms, tall, k);
        for (int j = 0; j < k; j++)
        {
            s[j] = norms[j];
            if (norms[j] > T.Zero)
            {
                for (int i = 0; i < tall; i++) w[(j * tall) + i] /= norms[j];
            }
            else
            {
                Complete(w, tall, j);
            }
        }

        for (int j = 0; j < k; j++)
        {
            for (int i = 0; i < m; i++) u[(i * k) + j] = wide ? v[(j * k) + i] : w[(j * tall) + i];
            for (int i = 0; i < n; i++) vt[(j * n) + i] = wide ? w[(j * tall) + i] : v[(j * k) + i];
        }
    }

    /// <summary>Makes every two rows of w orthogonal once; whether that changed anything.</summary>
    private static bool Sweep(T* w, T* v, int tall, int k)
    {
        T epsilon = T.BitIncrement(T.One) - T.One;
        bool rotated = false;
        for (int p = 0; p < k; p++)
        {
            for (int q = p + 1; q < k; q++)
            {
                T alpha = T.Zero, beta = T.Zero, gamma = T.Zero;
                for (int i = 0; i < tall; i++)
                {
                    (T x, T y) = (w[(p * tall) + i], w[(q * tall) + i]);
                    alpha += x * x;
                    beta += y * y;
                    gamma += x * y;
                }

                if (!(T.Abs(gamma) > epsilon * T.Sqrt(alpha * beta)) || gamma == T.Zero) continue;
                rotated = true;
                T zeta = (beta - alpha) / (gamma + gamma);
                T tangent = T.CopySign(T.One, zeta) / (T.Abs(zeta) + T.Sqrt(T.One + (zeta * zeta)));
                T cosine = T.One / T.Sqrt(T.One + (tangent * tangent));
                Rotate(w + (p * tall), w + (q * tall), tall, cosine, cosine * tangent);
                Rotate(v + (p * k), v + (q * k), k, cosine, cosine * tangent);
            }
        }

        return rotated;
    }

    private static void Rotate(T* a, T* b, int count, T cosine, T sine)
    {
        for (int i = 0; i < count; i++)
        {
            (T x, T y) = (a[i], b[i]);
            a[i] = (cosine * x) - (sine * y);
            b[i] = (sine * x) + (cosine * y);
        }
    }

    private static void Descending(T* w, T* v, T* norms, int tall, int k)
    {
        for (int j = 0; j < k; j++)
        {
            int largest = j;
            for (int i = j + 1; i < k; i++)
            {
                if (norms[i] > norms[largest]) largest = i;
            }

            if (largest == j) continue;
            (norms[j], norms[largest]) = (norms[largest], norms[j]);
            for (int i = 0; i < tall; i++) (w[(j * tall) + i], w[(largest * tall) + i]) = (w[(largest * tall) + i], w[(j * tall) + i]);
            for (int i = 0; i < k; i++) (v[(j * k) + i], v[(largest * k) + i]) = (v[(largest * k) + i], v[(j * k) + i]);
        }
    }

    /// <summary>A row of length 1 that is orthogonal to those before it.</summary>
    private static void Complete(T* w, int tall, int j)
    {
        for (int unit = 0; unit < tall; unit++)
        {
            T* row = w + (j * tall);
            for (int i = 0; i < tall; i++) row[i] = i == unit ? T.One : T.Zero;
            for (int twice = 0; twice < 2; twice++)
            {
                for (int p = 0; p < j; p++)
                {
                    T dot = T.Zero;
                    for (int i = 0; i < tall; i++) dot += w[(p * tall) + i] * row[i];
                    for (int i = 0; i < tall; i++) row[i] -= dot * w[(p * tall) + i];
                }
            }

            T norm = T.Zero;
            for (int i = 0; i < tall; i++) norm += row[i] * row[i];
            if (norm < T.CreateTruncating(0.25 / tall)) continue;
            norm = T.Sqrt(norm);
            for (int i = 0; i < tall; i++) row[i] /= norm;
            return;
        }
    }
}
