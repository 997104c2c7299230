using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Triangles and diagonals of matrices.</content>
public static partial class Ops
{
    /// <summary>The matrices of the last two axes with 0 above diagonal <paramref name="diagonal"/> (0 the main one, positive above it).</summary>
    public static Tensor Tril(Tensor x, int diagonal = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Multiplied("Tril", x, (row, column) => column - row <= diagonal);
    }

    /// <summary>The matrices of the last two axes with 0 below diagonal <paramref name="diagonal"/> (0 the main one, positive above it).</summary>
    public static Tensor Triu(Tensor x, int diagonal = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Multiplied("Triu", x, (row, column) => column - row >= diagonal);
    }

    /// <summary>The diagonal of a matrix, or a matrix with a vector as its diagonal; <paramref name="diagonal"/> above 0 lies above the main one.</summary>
    /// <exception cref="ArgumentException">x is neither.</exception>
    public static Tensor Diag(Tensor x, int diagonal = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Shape.Rank == 2) return Contiguous(Diagonal(x, diagonal));
        if (x.Shape.Rank != 1) throw new ArgumentException($"Diag: a tensor of shape {x.Shape} was given; a vector or a matrix is needed");
        int size = x.Count + Math.Abs(diagonal);
        return Placed(x, [size, size], new ViewSpec(ViewKind.Diagonal, 0, 1, diagonal, x.Count, 1));
    }

    /// <summary>The sum of a matrix's diagonal; rank 0.</summary>
    public static Tensor Trace(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Sum(Diagonal(x));
    }

    private static Tensor Multiplied(string op, Tensor x, Func<int, int, bool> keeps)
    {
        if (x.Shape.Rank < 2) throw new ArgumentException($"{op}: shape {x.Shape} has fewer than two axes");
        (int rows, int columns) = (x.Shape[^2], x.Shape[^1]);
        Tensor mask = Tensor.Empty([rows, columns], DType.Bool);
        Span<bool> values = mask.AsSpan<bool>();
        for (int i = 0; i < values.Length; i++) values[i] = keeps(i / columns, i % columns);
        return Where(mask, x, 0);
    }
}
