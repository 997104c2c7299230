namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Reductions, scans and sorting.</summary>
internal static class ReductionOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["sum"] = c => [Ops.Sum(c.X(), c.Ints(1, "dim") ?? [], c.Flag(2, "keepdim"))],
        ["mean"] = c => [Ops.Mean(c.X(), c.Ints(1, "dim") ?? [], c.Flag(2, "keepdim"))],
        ["prod"] = c => [c.Find(1, "dim") is null ? Ops.Product(c.X()) : Ops.Product(c.X(), c.Int(1, "dim", 0), c.Flag(2, "keepdim"))],
        ["amax"] = c => [Ops.Max(c.X(), c.Ints(1, "dim") ?? [], c.Flag(2, "keepdim"))],
        ["amin"] = c => [Ops.Min(c.X(), c.Ints(1, "dim") ?? [], c.Flag(2, "keepdim"))],
        ["max"] = c => c.Find(1, "dim") is null ? [Ops.Max(c.X())] : Pair(Ops.MaxWithIndices(c.X(), c.Int(1, "dim", 0), c.Flag(2, "keepdim"))),
        ["min"] = c => c.Find(1, "dim") is null ? [Ops.Min(c.X())] : Pair(Ops.MinWithIndices(c.X(), c.Int(1, "dim", 0), c.Flag(2, "keepdim"))),
        ["argmax"] = c => [c.Find(1, "dim") is null ? Kept(c, Ops.ArgMax(c.X())) : Ops.ArgMax(c.X(), c.Int(1, "dim", 0), c.Flag(2, "keepdim"))],
        ["argmin"] = c => [c.Find(1, "dim") is null ? Kept(c, Ops.ArgMin(c.X())) : Ops.ArgMin(c.X(), c.Int(1, "dim", 0), c.Flag(2, "keepdim"))],
        ["var"] = c => [Spread(c, Ops.Variance)],
        ["std"] = c => [Spread(c, Ops.StandardDeviation)],
        ["logsumexp"] = c => [Ops.LogSumExp(c.X(), c.Ints(1, "dim")!, c.Flag(2, "keepdim"))],
        ["norm"] = c => [Norm(c)],
        ["vector_norm"] = c => [Ops.Norm(c.X(), c.Number(1, "ord", 2), c.Ints(2, "dim") ?? [], c.Flag(3, "keepdim"))],
        ["any"] = c => [Ops.Any(c.X(), c.Ints(1, "dim") ?? [], c.Flag(2, "keepdim"))],
        ["all"] = c => [Ops.All(c.X(), c.Ints(1, "dim") ?? [], c.Flag(2, "keepdim"))],
        ["cumsum"] = c => [Ops.CumSum(c.X(), c.Int(1, "dim", 0))],
        ["cumprod"] = c => [Ops.CumProd(c.X(), c.Int(1, "dim", 0))],
        ["softmax"] = c => [Ops.Softmax(c.X(), c.Int(1, "dim", 0))],
        ["log_softmax"] = c => [Ops.LogSoftmax(c.X(), c.Int(1, "dim", 0))],
        ["median"] = c => c.Find(1, "dim") is null ? [Ops.Median(c.X())] : Pair(Ops.MedianWithIndices(c.X(), c.Int(1, "dim", 0), c.Flag(2, "keepdim"))),
        ["topk"] = c => Pair(Ops.TopK(c.X(), c.Int(1, "k", 0), c.Int(2, "dim", -1), c.Flag(3, "largest", true))),
        ["sort"] = c => Pair(Ops.Sort(c.X(), c.Int(1, "dim", -1), c.Flag(2, "descending"))),
        ["argsort"] = c => [Ops.ArgSort(c.X(), c.Int(1, "dim", -1), c.Flag(2, "descending"))],
    };

    private static Tensor[] Pair((Tensor Values, Tensor Indices) both) => [both.Values, both.Indices];

    private delegate Tensor Moment(Tensor x, ReadOnlySpan<int> axes, double correction, bool keepDims);

    private static Tensor Kept(OpCall c, Tensor y) => c.Flag(2, "keepdim") ? Ops.Reshape(y, [.. Enumerable.Repeat(1, c.X().Shape.Rank)]) : y;

    private static Tensor Spread(OpCall c, Moment moment)
    {
        // The second argument is the axes, or whether the estimate is unbiased.
        bool unbiased = c.Count > 1 && c.Find(1, "") is { ValueKind: System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False };
        int[] axes = unbiased ? [] : c.Ints(1, "dim") ?? [];
        double correction = unbiased ? c.Flag(1, "") ? 1 : 0 : c.Flag(-1, "unbiased", true) ? c.Number(-1, "correction", 1) : 0;
        return moment(c.X(), axes, correction, c.Flag(-1, "keepdim"));
    }

    private static Tensor Norm(OpCall c)
    {
        string? named = c.Text(1, "p");
        int[] axes = c.Ints(2, "dim") ?? [];
        bool keepDims = c.Flag(3, "keepdim");
        if (named == "nuc") return Ops.NormOfMatrices(c.X(), MatrixNorm.Nuclear, axes.Length == 2 ? axes[0] : -2, axes.Length == 2 ? axes[1] : -1, keepDims);
        return Ops.Norm(c.X(), named is null ? c.Number(1, "p", 2) : 2, axes, keepDims);
    }
}
