using System.Text.Json;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Products and linear algebra.</summary>
internal static class ProductOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["matmul"] = c => [Ops.MatMul(c.X(0), c.X(1))],
        ["mm"] = c => [Ops.MatMul(c.X(0), c.X(1))],
        ["bmm"] = c => [Ops.MatMul(c.X(0), c.X(1))],
        ["mv"] = c => [Ops.MatMul(c.X(0), c.X(1))],
        ["dot"] = c => [Ops.Dot(c.X(0), c.X(1))],
        ["outer"] = c => [Ops.Outer(c.X(0), c.X(1))],
        ["addmm"] = AddProduct,
        ["baddbmm"] = AddProduct,
        ["einsum"] = c => [Ops.Einsum(c.Text(0, "")!, c.List(1))],
        ["tensordot"] = TensorDot,
        ["kron"] = c => [Ops.Kronecker(c.X(0), c.X(1))],
        ["linalg_norm"] = c => [Norm(c)],
        ["linalg_det"] = c => [Ops.Determinant(c.X())],
        ["linalg_inv"] = c => [Ops.Inverse(c.X())],
        ["linalg_cholesky"] = c => [Ops.Cholesky(c.X(), c.Flag(1, "upper"))],
        ["linalg_qr"] = c => Ops.QR(c.X()) is var (q, r) ? [q, r] : [],
        ["linalg_svdvals"] = c => [Ops.SingularValues(c.X())],
        ["linalg_solve"] = c => [Ops.Solve(c.X(0), c.X(1))],
        ["linear"] = c => [Ops.Linear(c.X(0), c.X(1), c.Maybe(2, "bias"))],
        ["bilinear"] = c => [Ops.Bilinear(c.X(0), c.X(1), c.X(2), c.Maybe(3, "bias"))],
    };

    private static Tensor[] AddProduct(OpCall c) => [Ops.AddMatMul(c.X(0), c.X(1), c.X(2), c.Number(3, "beta", 1), c.Number(4, "alpha", 1))];

    private static Tensor[] TensorDot(OpCall c)
    {
        if (c.Find(2, "dims") is not { ValueKind: JsonValueKind.Array } axes) return [Ops.TensorDot(c.X(0), c.X(1), c.Int(2, "dims", 2))];
        return [Ops.TensorDot(c.X(0), c.X(1), OpCall.IntsOf(axes[0]), OpCall.IntsOf(axes[1]))];
    }

    private static Tensor Norm(OpCall c)
    {
        Tensor x = c.X();
        int[]? axes = c.Ints(2, "dim");
        bool keepDims = c.Flag(3, "keepdim");
        JsonElement? order = c.Find(1, "ord");
        bool ofMatrix = order is not null && (axes is { Length: 2 } || (axes is null && x.Shape.Rank == 2));
        if (!ofMatrix) return Ops.Norm(x, order is { ValueKind: not JsonValueKind.String } ? c.Number(1, "ord", 2) : 2, axes ?? [], keepDims);
        MatrixNorm norm = order is { ValueKind: JsonValueKind.String } named ? named.GetString() == "nuc" ? MatrixNorm.Nuclear : MatrixNorm.Frobenius : c.Number(1, "ord", 2) switch
        {
            1 => MatrixNorm.One,
            -1 => MatrixNorm.LeastColumn,
            2 => MatrixNorm.Spectral,
            -2 => MatrixNorm.LeastSingular,
            double.PositiveInfinity => MatrixNorm.Infinity,
            _ => MatrixNorm.LeastRow,
        };
        return Ops.NormOfMatrices(x, norm, axes?[0] ?? -2, axes?[1] ?? -1, keepDims);
    }
}
