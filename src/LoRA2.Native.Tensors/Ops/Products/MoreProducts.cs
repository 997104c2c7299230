using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Products that are named.</content>
public static partial class Ops
{
    /// <summary>Σ a ∘ b of two vectors; rank 0.</summary>
    /// <exception cref="ArgumentException">They are not vectors of one length.</exception>
    public static Tensor Dot(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Shape.Rank != 1 || a.Shape != b.Shape) throw new ArgumentException($"Dot: shapes {a.Shape} and {b.Shape} are not vectors of one length");
        return MatMul(a, b);
    }

    /// <summary>The matrix of the products of two vectors' elements, a's along its rows.</summary>
    /// <exception cref="ArgumentException">They are not vectors.</exception>
    public static Tensor Outer(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Shape.Rank != 1 || b.Shape.Rank != 1) throw new ArgumentException($"Outer: shapes {a.Shape} and {b.Shape} are not vectors");
        return Multiply(Unsqueeze(a, 1), b);
    }

    /// <summary>β c + α a b, with c broadcast to the product; c is not read when β is 0.</summary>
    public static Tensor AddMatMul(Tensor c, Tensor a, Tensor b, double beta = 1, double alpha = 1)
    {
        ArgumentNullException.ThrowIfNull(c);
        Tensor product = Scaled(MatMul(a, b), alpha);
        if (Shape.Broadcast(c.Shape, product.Shape, "AddMatMul") != product.Shape) throw new ArgumentException($"AddMatMul: shape {c.Shape} is larger than the product, {product.Shape}");
        return beta == 0 ? product : Add(product, Scaled(c, beta));
    }

    /// <summary>The Kronecker product: each element of a times all of b, block by block.</summary>
    public static Tensor Kronecker(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        int rank = Math.Max(a.Shape.Rank, b.Shape.Rank);
        int[] left = new int[2 * rank], right = new int[2 * rank], extents = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            int fromA = i - (rank - a.Shape.Rank), fromB = i - (rank - b.Shape.Rank);
            (left[2 * i], left[(2 * i) + 1]) = (fromA < 0 ? 1 : a.Shape[fromA], 1);
            (right[2 * i], right[(2 * i) + 1]) = (1, fromB < 0 ? 1 : b.Shape[fromB]);
            extents[i] = left[2 * i] * right[(2 * i) + 1];
        }

        return Reshape(Multiply(Reshape(a, left), Reshape(b, right)), extents);
    }

    /// <summary>y[.., o] = Σᵢⱼ x1[.., i] weight[o, i, j] x2[.., j] + bias[o]: weight is [out, in1, in2], bias [out] or null.</summary>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor Bilinear(Tensor x1, Tensor x2, Tensor weight, Tensor? bias = null)
    {
        ArgumentNullException.ThrowIfNull(x1);
        ArgumentNullException.ThrowIfNull(x2);
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Shape.Rank != 3 || x1.Shape.Rank == 0 || x1.Shape.Columns != weight.Shape[1] || x2.Shape.Columns != weight.Shape[2] || x1.Shape.Rows != x2.Shape.Rows)
            throw new ArgumentException($"Bilinear: shapes {x1.Shape} and {x2.Shape} don't fit a weight of shape {weight.Shape} ([out, in1, in2])");
        (int rows, int outputs) = (x1.Shape.Rows, weight.Shape[0]);
        Tensor left = Reshape(MatMul(Reshape(x1, rows, x1.Shape.Columns), Reshape(Permute(weight, 1, 0, 2), weight.Shape[1], outputs * weight.Shape[2])), rows, outputs, weight.Shape[2]);
        Tensor y = Sum(Multiply(left, Reshape(x2, rows, 1, x2.Shape.Columns)), 2);
        y = Reshape(y, [.. x1.Shape.Extents[..^1], outputs]);
        return bias is null ? y : Add(y, bias);
    }

    /// <summary>a + w (b − a), element by element; where |w| is at least ½, from b's side, so that w = 1 gives b.</summary>
    public static Tensor Lerp(Tensor a, Tensor b, Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(weight);
        Tensor difference = Subtract(b, a);
        return Where(Less(Abs(weight), 0.5), Add(a, Multiply(weight, difference)), Subtract(b, Multiply(difference, Subtract(1, weight))));
    }

    /// <inheritdoc cref="Lerp(Tensor, Tensor, Tensor)"/>
    public static Tensor Lerp(Tensor a, Tensor b, double weight)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        Tensor difference = Subtract(b, a);
        return Math.Abs(weight) < 0.5 ? Add(a, Scale(difference, weight)) : Subtract(b, Scale(difference, 1 - weight));
    }

    /// <summary>x + s a b, element by element, with broadcasting.</summary>
    public static Tensor AddProduct(Tensor x, Tensor a, Tensor b, double s = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Add(x, Scaled(Multiply(a, b), s));
    }

    /// <summary>x + s a / b, element by element, with broadcasting.</summary>
    public static Tensor AddQuotient(Tensor x, Tensor a, Tensor b, double s = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Add(x, Scaled(Divide(a, b), s));
    }

    private static Tensor Scaled(Tensor x, double s) => s == 1 ? x : x.DType.IsFloat() ? Scale(x, s) : Multiply(x, s);
}
