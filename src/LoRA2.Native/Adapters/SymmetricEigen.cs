namespace LoRA2.Native.Adapters;

/// <summary>Eigenvalues and vectors of a small symmetric matrix, by cyclic Jacobi rotations.</summary>
internal static class SymmetricEigen
{
    private const int MostSweeps = 60;

    /// <summary>The eigenvalues of a row-major n × n matrix in falling order, and their unit vectors.</summary>
    public static (double[] Values, double[][] Vectors) Of(double[] matrix, int n)
    {
        double[][] a = [.. Enumerable.Range(0, n).Select(i => matrix[(i * n)..((i + 1) * n)])];
        double[][] vectors = [.. Enumerable.Range(0, n).Select(i => Axis(i, n))];
        double scale = Math.Sqrt(matrix.Sum(value => value * value));
        for (int sweep = 0; sweep < MostSweeps && OffDiagonal(a) > 1e-15 * scale; sweep++)
        {
            for (int p = 0; p < n; p++)
            {
                for (int q = p + 1; q < n; q++) Rotate(a, vectors, p, q);
            }
        }

        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => a[i][i])];
        return ([.. order.Select(i => a[i][i])], [.. order.Select(i => vectors[i])]);
    }

    /// <summary>Makes a_pq zero by a rotation in the plane of p and q; rows of <paramref name="vectors"/> are the eigenvectors.</summary>
    private static void Rotate(double[][] a, double[][] vectors, int p, int q)
    {
        double off = a[p][q];
        if (Math.Abs(off) <= 1e-18 * Math.Sqrt(Math.Abs(a[p][p] * a[q][q])) || off == 0) return;
        double theta = (a[q][q] - a[p][p]) / (2 * off);
        double t = Math.CopySign(1, theta) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        double c = 1 / Math.Sqrt((t * t) + 1);
        double s = t * c;
        double[] rowP = a[p], rowQ = a[q];
        for (int k = 0; k < rowP.Length; k++)
        {
            if (k == p || k == q) continue;
            (double kp, double kq) = (rowP[k], rowQ[k]);
            rowP[k] = a[k][p] = (c * kp) - (s * kq);
            rowQ[k] = a[k][q] = (s * kp) + (c * kq);
        }

        rowP[p] -= t * off;
        rowQ[q] += t * off;
        rowP[q] = rowQ[p] = 0;
        (double[] vectorP, double[] vectorQ) = (vectors[p], vectors[q]);
        for (int k = 0; k < vectorP.Length; k++) (vectorP[k], vectorQ[k]) = ((c * vectorP[k]) - (s * vectorQ[k]), (s * vectorP[k]) + (c * vectorQ[k]));
    }

    private static double[] Axis(int i, int n)
    {
        double[] axis = new double[n];
        axis[i] = 1;
        return axis;
    }

    private static double OffDiagonal(double[][] a)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            for (int j = i + 1; j < a.Length; j++) sum += 2 * a[i][j] * a[i][j];
        }

        return Math.Sqrt(sum);
    }
}
