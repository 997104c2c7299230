using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>A matrix in double precision with products written as the definition says: the oracle of the algebraic properties.</summary>
internal sealed class PlainMatrix(int rows, int columns)
{
    private readonly double[] values = new double[rows * columns];

    public PlainMatrix(Tensor tensor)
        : this(tensor.Shape.Rows, tensor.Shape.Columns) => tensor.To(DType.Float64).ToArray<double>().CopyTo(values, 0);

    public int Rows => rows;

    public int Columns => columns;

    public double[] Values => values;

    public PlainMatrix Transposed => Make(columns, rows, (i, j) => this[j, i]);

    public double this[int row, int column]
    {
        get => values[(row * columns) + column];
        set => values[(row * columns) + column] = value;
    }

    public static PlainMatrix operator *(PlainMatrix a, PlainMatrix b)
    {
        Assert.Equal(a.Columns, b.Rows);
        return Make(a.Rows, b.Columns, (i, j) =>
        {
            double sum = 0;
            for (int p = 0; p < a.Columns; p++) sum += a[i, p] * b[p, j];
            return sum;
        });
    }

    public static PlainMatrix Make(int rows, int columns, Func<int, int, double> element)
    {
        var matrix = new PlainMatrix(rows, columns);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) matrix[i, j] = element(i, j);
        }

        return matrix;
    }

    public static PlainMatrix Diagonal(double[] values) => Make(values.Length, values.Length, (i, j) => i == j ? values[i] : 0);

    /// <summary>‖this − I‖²_F.</summary>
    public double GapFromIdentity()
    {
        double sum = 0;
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) sum += Math.Pow(this[i, j] - (i == j ? 1 : 0), 2);
        }

        return sum;
    }

    /// <summary>Random with orthonormal columns, or rows when there are fewer rows (Gram and Schmidt, twice).</summary>
    public static PlainMatrix Orthonormal(int rows, int columns, CaseSource source)
    {
        if (rows < columns) return Orthonormal(columns, rows, source).Transposed;
        var matrix = new PlainMatrix(source.Values([rows, columns], requiresGrad: false));
        for (int j = 0; j < columns; j++)
        {
            for (int pass = 0; pass < 2; pass++)
            {
                for (int other = 0; other < j; other++) Subtract(matrix, j, other);
            }

            double norm = Math.Sqrt(Dot(matrix, j, j));
            for (int i = 0; i < rows; i++) matrix[i, j] /= norm;
        }

        return matrix;
    }

    public Tensor ToTensor() => Tensor.From(values, [rows, columns]);

    private static void Subtract(PlainMatrix matrix, int column, int other)
    {
        double dot = Dot(matrix, column, other);
        for (int i = 0; i < matrix.Rows; i++) matrix[i, column] -= dot * matrix[i, other];
    }

    private static double Dot(PlainMatrix matrix, int a, int b)
    {
        double sum = 0;
        for (int i = 0; i < matrix.Rows; i++) sum += matrix[i, a] * matrix[i, b];
        return sum;
    }
}
