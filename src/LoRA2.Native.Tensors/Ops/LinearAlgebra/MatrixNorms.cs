using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <summary>A norm of matrices.</summary>
public enum MatrixNorm
{
    /// <summary>The root of the sum of squares.</summary>
    Frobenius,

    /// <summary>The sum of the singular values.</summary>
    Nuclear,

    /// <summary>The largest singular value.</summary>
    Spectral,

    /// <summary>The smallest singular value.</summary>
    LeastSingular,

    /// <summary>The largest sum of sizes of a column.</summary>
    One,

    /// <summary>The smallest sum of sizes of a column.</summary>
    LeastColumn,

    /// <summary>The largest sum of sizes of a row.</summary>
    Infinity,

    /// <summary>The smallest sum of sizes of a row.</summary>
    LeastRow,
}

/// <content>Norms of matrices.</content>
public static partial class Ops
{
    /// <summary>A norm of the matrices that two axes make, which disappear, or stay with extent 1.</summary>
    /// <exception cref="ArgumentException">There are fewer than two axes.</exception>
    public static Tensor NormOfMatrices(Tensor x, MatrixNorm norm = MatrixNorm.Frobenius, int rows = -2, int columns = -1, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        RequireMatrices("NormOfMatrices", x);
        (int r, int c) = (x.Shape.Axis(rows), x.Shape.Axis(columns));
        if (norm == MatrixNorm.Frobenius) return Norm(x, 2, [r, c], keepDims);
        Tensor y = norm switch
        {
            MatrixNorm.One or MatrixNorm.LeastColumn => Ends(Sum(Abs(x), [r], keepDims: true), c, norm == MatrixNorm.One),
            MatrixNorm.Infinity or MatrixNorm.LeastRow => Ends(Sum(Abs(x), [c], keepDims: true), r, norm == MatrixNorm.Infinity),
            _ => Singular(x, norm, r, c),
        };
        return keepDims ? y : WithoutAxes(y, [r, c]);
    }

    private static Tensor Ends(Tensor sums, int axis, bool largest) => largest ? Max(sums, [axis], keepDims: true) : Min(sums, [axis], keepDims: true);

    private static Tensor Singular(Tensor x, MatrixNorm norm, int rows, int columns)
    {
        Tensor values = SingularValues(MoveAxes(x, [rows, columns], [-2, -1]));
        Tensor y = norm switch
        {
            MatrixNorm.Nuclear => Sum(values, [-1]),
            MatrixNorm.Spectral => Max(values, [-1]),
            _ => Min(values, [-1]),
        };
        return Reshape(y, Kept(x.Shape, [rows, columns]).Extents);
    }
}
