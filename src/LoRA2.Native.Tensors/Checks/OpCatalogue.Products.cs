namespace LoRA2.Native.Tensors.Checks;

/// <content>Generators of products and linear algebra.</content>
public static partial class OpCatalogue
{
    private static IEnumerable<OpEntry> MoreProducts()
    {
        yield return Product(nameof(Ops.Einsum), ["bij", "jk", "bk"], parts => Ops.Einsum("bij,jk,bk->ib", parts[0], parts[1], parts[2]));
        yield return Product(nameof(Ops.TensorDot), ["bij", "jik"], parts => Ops.TensorDot(parts[0], parts[1], [1, 2], [1, 0]));
        yield return Product(nameof(Ops.Dot), ["i", "i"], parts => Ops.Dot(parts[0], parts[1]));
        yield return Product(nameof(Ops.Outer), ["i", "j"], parts => Ops.Outer(parts[0], parts[1]));
        yield return Product(nameof(Ops.AddMatMul), ["k", "bij", "bjk"], parts => Ops.AddMatMul(parts[0], parts[1], parts[2], 0.5, -2));
        yield return Product(nameof(Ops.Kronecker), ["ij", "k"], parts => Ops.Kronecker(parts[0], parts[1]));
        yield return Product(nameof(Ops.Bilinear), ["bi", "bj", "kij", "k"], parts => Ops.Bilinear(parts[0], parts[1], parts[2], parts[3]));
    }

    private static IEnumerable<OpEntry> LinearAlgebra()
    {
        yield return new(nameof(Ops.Solve), source =>
        {
            int n = source.Extent(4, least: 1);
            return Case([WellConditioned(source, n), source.Values([n, source.Extent(3, least: 1)])], inputs => Ops.Solve(inputs[0], inputs[1]));
        })
        { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.SolveTriangular), source =>
        {
            int n = source.Extent(4, least: 1);
            (bool upper, bool transposed) = (source.Flag(), source.Flag());
            return Case([WellConditioned(source, n), source.Values([2, n, source.Extent(3, least: 1)])], inputs => Ops.SolveTriangular(inputs[0], inputs[1], upper, transposed));
        })
        { IsTwiceDifferentiable = true };
        yield return Square(nameof(Ops.Inverse), Ops.Inverse);
        yield return Square(nameof(Ops.Determinant), Ops.Determinant);
        yield return Square(nameof(Ops.Cholesky), x => Ops.Cholesky(Ops.Add(Ops.MatMul(x, x, false, true), Ops.Diag(Tensor.Full([x.Shape[^1]], 1, x.DType)))));
        yield return new(nameof(Ops.QR), source =>
        {
            bool ofR = source.Flag();
            int columns = source.Extent(3, least: 1);
            return Case([Offset(source.Values([columns + source.Extent(2), columns], 0.3))], inputs => ofR ? Ops.QR(inputs[0]).R : Ops.QR(inputs[0]).Q);
        })
        { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Svd), source => Case([Offset(source.Values([3, 4], 0.3))], inputs => Ops.Svd(inputs[0]).S));
        yield return new(nameof(Ops.SingularValues), source => Case([Offset(source.Values([2, 4, 3], 0.3))], inputs => Ops.SingularValues(inputs[0])));
        yield return new(nameof(Ops.NormOfMatrices), source =>
        {
            var norm = (MatrixNorm)source.Int(0, 7);
            return Case([Offset(source.Values([2, 4, 3], 0.3))], inputs => Ops.NormOfMatrices(inputs[0], norm), norm.ToString());
        });
    }

    /// <summary>Operands by the letters of their axes; a letter has one extent.</summary>
    private static OpEntry Product(string name, string[] axes, Func<IReadOnlyList<Tensor>, Tensor> op) => new(name, source =>
    {
        var extents = new Dictionary<char, int>();
        foreach (char letter in string.Concat(axes).Distinct()) extents[letter] = source.Extent(5);
        return Case([.. axes.Select(letters => source.Values(new Shape([.. letters.Select(letter => extents[letter])])))], op);
    })
    { IsTwiceDifferentiable = true };

    private static OpEntry Square(string name, Func<Tensor, Tensor> op) => new(name, source => Case([WellConditioned(source, source.Extent(4, least: 1))], inputs => op(inputs[0]))) { IsTwiceDifferentiable = true };

    private static Tensor WellConditioned(CaseSource source, int n)
    {
        Tensor x = source.Values([2, n, n], 0.3);
        Span<double> values = x.AsSpan<double>();
        for (int i = 0; i < values.Length; i++)
        {
            if (i / n % n == i % n) values[i] += 2;
        }

        return x;
    }

    /// <summary>Singular values, sums of rows and of columns that lie apart.</summary>
    private static Tensor Offset(Tensor x)
    {
        Span<double> values = x.AsSpan<double>();
        (int rows, int columns) = (x.Shape[^2], x.Shape[^1]);
        for (int i = 0; i < values.Length; i++)
        {
            (int row, int column) = (i / columns % rows, i % columns);
            values[i] = row == column ? 4 + (3 * row) : (0.05 * values[i]) + (values[i] < 0 ? -0.02 : 0.02);
        }

        return x;
    }
}
