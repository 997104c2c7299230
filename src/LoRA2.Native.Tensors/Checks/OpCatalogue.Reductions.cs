namespace LoRA2.Native.Tensors.Checks;

/// <content>Generators of reductions, scans and sorting.</content>
public static partial class OpCatalogue
{
    private static IEnumerable<OpEntry> Reductions()
    {
        yield return new(nameof(Ops.Max), source => OverAxes(source, (x, axes, keep) => Ops.Max(x, axes, keep), least: 1)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Min), source => OverAxes(source, (x, axes, keep) => Ops.Min(x, axes, keep), least: 1)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.MaxWithIndices), source => AlongAxis(source, (x, axis) => Ops.MaxWithIndices(x, axis).Values, least: 1)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.MinWithIndices), source => AlongAxis(source, (x, axis) => Ops.MinWithIndices(x, axis, true).Values, least: 1)) { IsTwiceDifferentiable = true };
        yield return Counting(nameof(Ops.ArgMax), (x, axis) => Ops.ArgMax(x, axis));
        yield return Counting(nameof(Ops.ArgMin), (x, axis) => Ops.ArgMin(x, axis));
        yield return Counting(nameof(Ops.ArgSort), (x, axis) => Ops.ArgSort(x, axis));
        yield return Counting(nameof(Ops.Any), (x, axis) => Ops.Any(Ops.Greater(x, 0), [axis]));
        yield return Counting(nameof(Ops.All), (x, axis) => Ops.All(Ops.Greater(x, 0), [axis]));
        yield return new(nameof(Ops.Product), source => AlongAxis(source, (x, axis) => Ops.Product(x, axis), most: 4)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.CumSum), source => AlongAxis(source, Ops.CumSum)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.CumProd), source => AlongAxis(source, Ops.CumProd, most: 4)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Variance), source => OverAxes(source, (x, axes, keep) => Ops.Variance(x, axes, 0.5, keep), least: 1)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.StandardDeviation), source => OverAxes(source, (x, axes, keep) => Ops.StandardDeviation(x, axes, 0.5, keep), least: 2)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.LogSumExp), source => OverAxes(source, Ops.LogSumExp, least: 1)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Norm), Norm) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Median), source => Case([source.Distinct([source.Extent(7, least: 1), source.Extent(4, least: 1)])], inputs => Ops.Median(inputs[0]))) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.MedianWithIndices), source => AlongAxis(source, (x, axis) => Ops.MedianWithIndices(x, axis).Values, least: 1)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Sort), source => AlongAxis(source, (x, axis) => Ops.Sort(x, axis, descending: true).Values)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.TopK), source => AlongAxis(source, (x, axis) => Ops.TopK(x, Math.Min(2, x.Shape[axis]), axis).Values)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.LogSoftmax), source => AlongAxis(source, Ops.LogSoftmax)) { IsTwiceDifferentiable = true };
    }

    private delegate Tensor OverSomeAxes(Tensor x, ReadOnlySpan<int> axes, bool keepDims);

    private static OpCase OverAxes(CaseSource source, OverSomeAxes op, int least = 0)
    {
        Shape shape = [source.Extent(5, least), source.Extent(5, least), source.Extent(5, least)];
        int[] axes = source.Int(0, 4) switch { 0 => [], 1 => [0], 2 => [-1, 0], 3 => [1, 2], _ => [1] };
        bool keep = source.Flag();
        return Case([source.Distinct(shape)], inputs => op(inputs[0], axes, keep), $"axes {string.Join(' ', axes)}, keep {keep}");
    }

    private static OpCase AlongAxis(CaseSource source, Func<Tensor, int, Tensor> op, int least = 0, int most = 7)
    {
        Shape shape = [source.Extent(Math.Min(most, 4), least), source.Extent(most, least), source.Extent(Math.Min(most, 5), least)];
        int axis = source.Int(0, 2);
        return Case([source.Distinct(shape)], inputs => op(inputs[0], axis), $"axis {axis}");
    }

    private static OpEntry Counting(string name, Func<Tensor, int, Tensor> op) => new(name, source =>
    {
        OpCase drawn = AlongAxis(source, (x, axis) => Ops.Cast(op(x, axis), x.DType), least: 1);
        foreach (Tensor input in drawn.Inputs) input.RequiresGrad = false;
        return drawn;
    });

    private static OpCase Norm(CaseSource source)
    {
        double p = source.Int(0, 5) switch { 0 => 1, 1 => 2, 2 => 3, 3 => 1.5, 4 => double.PositiveInfinity, _ => double.NegativeInfinity };
        return OverAxes(source, (x, axes, keep) => Ops.Norm(x, p, axes, keep), least: 1);
    }
}
