namespace LoRA2.Native.Adapters;

/// <summary>Makes random matrices orthonormal.</summary>
internal static class Orthonormal
{
    /// <summary>What the option of a method's start calls it.</summary>
    public const string Name = "orthonormal";

    /// <summary>What that option calls the start of the papers' authors.</summary>
    public const string Gaussian = "gaussian";

    /// <summary>
    /// Turns the rows or the columns of a row-major matrix, whichever are fewer, into an orthonormal system by modified Gram-Schmidt, twice over, in
    /// double precision. Of Gaussian values it makes a uniformly distributed one.
    /// </summary>
    public static void Make(Span<float> values, int rows, int columns)
    {
        bool byRow = rows <= columns;
        (int count, int length) = byRow ? (rows, columns) : (columns, rows);
        var vectors = new double[count][];
        for (int i = 0; i < count; i++)
        {
            double[] vector = new double[length];
            for (int j = 0; j < length; j++) vector[j] = values[byRow ? (i * columns) + j : (j * columns) + i];
            for (int pass = 0; pass < 2; pass++)
            {
                for (int earlier = 0; earlier < i; earlier++) Subtract(vector, vectors[earlier]);
            }

            double norm = Math.Sqrt(Dot(vector, vector));
            for (int j = 0; j < length; j++)
            {
                vector[j] /= norm;
                values[byRow ? (i * columns) + j : (j * columns) + i] = (float)vector[j];
            }

            vectors[i] = vector;
        }
    }

    private static void Subtract(double[] vector, double[] unit)
    {
        double along = Dot(vector, unit);
        for (int j = 0; j < vector.Length; j++) vector[j] -= along * unit[j];
    }

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int j = 0; j < a.Length; j++) sum += a[j] * b[j];
        return sum;
    }
}
