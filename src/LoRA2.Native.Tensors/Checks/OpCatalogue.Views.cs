namespace LoRA2.Native.Tensors.Checks;

/// <content>Generators of views, joining, padding, and picking by indices.</content>
public static partial class OpCatalogue
{
    private static IEnumerable<OpEntry> Views()
    {
        yield return OfThree(nameof(Ops.Expand), x => Ops.Expand(Ops.Unsqueeze(x, 1), -1, 3, -1, -1));
        yield return OfThree(nameof(Ops.Diagonal), x => Ops.Diagonal(x, 1, 0, 2));
        yield return OfThree(nameof(Ops.Windows), x => Ops.Windows(x, 1, Math.Min(3, x.Shape[1]), 2));
        yield return OfThree(nameof(Ops.MoveAxis), x => Ops.MoveAxis(x, 0, -1));
        yield return OfThree(nameof(Ops.MoveAxes), x => Ops.MoveAxes(x, [0, 1], [2, 0]));
        yield return OfThree(nameof(Ops.Squeeze), x => Ops.Squeeze(Ops.Slice(x, 1, 0, Math.Min(1, x.Shape[1]))));
        yield return OfThree(nameof(Ops.Unsqueeze), x => Ops.Unsqueeze(x, -2));
        yield return OfThree(nameof(Ops.Flatten), x => Ops.Flatten(x, 1));
        yield return OfThree(nameof(Ops.Select), x => Ops.Select(x, 1, -1), least: 1);
        yield return OfThree(nameof(Ops.Stack), x => Ops.Stack(1, x, Ops.Scale(x, 2)));
        yield return OfThree(nameof(Ops.Split), x => Ops.Multiply(Ops.Split(x, Math.Max(1, x.Shape[1]), 1)[0], 3));
        yield return OfThree(nameof(Ops.Chunk), x => Ops.Chunk(x, 2, 1)[0]);
        yield return OfThree(nameof(Ops.Unbind), x => Ops.Unbind(x, 1)[^1], least: 1);
        yield return OfThree(nameof(Ops.Tile), x => Ops.Tile(x, 2, 1, 3));
        yield return OfThree(nameof(Ops.Flip), x => Ops.Flip(x, 0, -1));
        yield return OfThree(nameof(Ops.Roll), x => Ops.Roll(x, 2, 1));
        // One of the first axis, one of the two others: a grid of as many elements as x has, however large that is.
        yield return OfThree(nameof(Ops.MeshGrid), x => Ops.MeshGrid([Flat(First(First(x, 1), 2)), Flat(First(x, 0))], xy: true)[0]);
        yield return OfThree(nameof(Ops.Tril), x => Ops.Tril(x, 1));
        yield return OfThree(nameof(Ops.Triu), x => Ops.Triu(x, -1));
        yield return new(nameof(Ops.Diag), source => Case([source.Values([source.Extent(5)])], inputs => Ops.Diag(inputs[0], 2))) { IsTwiceDifferentiable = true };
        yield return OfThree(nameof(Ops.Trace), x => Ops.Trace(Ops.Select(x, 0, 0)), least: 1);
        yield return new(nameof(Ops.Pad), Pad) { IsTwiceDifferentiable = true };
    }

    private static Tensor First(Tensor x, int axis) => Ops.Slice(x, axis, 0, Math.Min(1, x.Shape[axis]));

    private static Tensor Flat(Tensor x) => Ops.Reshape(x, x.Count);

    private static IEnumerable<OpEntry> Picking()
    {
        yield return new(nameof(Ops.IndexSelect), source =>
        {
            Tensor x = source.Values([source.Extent(4), source.Extent(7, least: 1), source.Extent(5)]);
            return Case([x, source.Ids([source.Extent(11)], -x.Shape[1], x.Shape[1] - 1)], inputs => Ops.IndexSelect(inputs[0], 1, inputs[1]));
        })
        { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.TakeAlongAxis), source =>
        {
            Tensor x = source.Values([source.Extent(4), source.Extent(7, least: 1), source.Extent(5)]);
            return Case([x, source.Ids(x.Shape.With(1, source.Extent(5)), 0, x.Shape[1] - 1)], inputs => Ops.TakeAlongAxis(inputs[0], inputs[1], 1));
        })
        { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Scatter), source => Scattered(source, (x, index, values) => Ops.Scatter(x, 1, index, values), repeats: false)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.ScatterAdd), source => Scattered(source, (x, index, values) => Ops.ScatterAdd(x, 1, index, values), repeats: true)) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.IndexAdd), source =>
        {
            Tensor x = source.Values([source.Extent(4), source.Extent(7, least: 1), source.Extent(5)]);
            int count = source.Extent(5);
            return Case([x, source.Ids([count], 0, x.Shape[1] - 1), source.Values(x.Shape.With(1, count))], inputs => Ops.IndexAdd(inputs[0], 1, inputs[1], inputs[2], -0.5));
        })
        { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.MaskedSelect), source =>
        {
            Tensor x = source.Values([source.Extent(5), source.Extent(7)]);
            return Case([x, source.Ids(x.Shape, 0, 1)], inputs => Ops.MaskedSelect(inputs[0], Ops.Cast(inputs[1], DType.Bool)));
        })
        { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.NonZero), source =>
        {
            Tensor x = source.Ids([source.Extent(5), source.Extent(7)], 0, 1);
            return Case([x.To(DType.Float64)], inputs => Ops.Cast(Ops.NonZero(inputs[0]), inputs[0].DType));
        });
        yield return new(nameof(Ops.OneHot), source => Case([source.Ids([source.Extent(5), source.Extent(3)], 0, 4), source.Values([5])], inputs => Ops.Multiply(inputs[1], Ops.OneHot(inputs[0], 5)))) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.Index), source =>
        {
            Tensor x = source.Values([source.Extent(5, least: 2), source.Extent(7, least: 2), source.Extent(5)]);
            Tensor rows = source.Ids([source.Extent(4)], -2, x.Shape[0] - 1);
            return source.Flag()
                ? Case([x, rows], inputs => inputs[0][inputs[1], TensorIndex.NewAxis, 1..])
                : Case([x, rows], inputs => inputs[0][TensorIndex.Ellipsis, ^1, TensorIndex.Every(2, ..)]);
        })
        { IsTwiceDifferentiable = true };
    }

    private static OpEntry OfThree(string name, Func<Tensor, Tensor> op, int least = 0, int most = 5) =>
        new(name, source => Case([source.Values([source.Extent(Math.Min(most, 4), least), source.Extent(most, least), source.Extent(Math.Min(most, 5), least)])], inputs => op(inputs[0]))) { IsTwiceDifferentiable = true };

    private static OpCase Pad(CaseSource source)
    {
        var mode = (PadMode)source.Int(0, 2);
        int least = mode == PadMode.Constant ? 0 : 3;
        Tensor x = source.Values([source.Extent(3), source.Extent(5, least), source.Extent(7, least)]);
        int[] amounts = [source.Int(0, 2), source.Int(0, 2), source.Int(0, 1), source.Int(0, 2)];
        return Case([x], inputs => Ops.Pad(inputs[0], amounts, mode, 1.5), $"{mode} {string.Join(' ', amounts)}");
    }

    private static OpCase Scattered(CaseSource source, Func<Tensor, Tensor, Tensor, Tensor> op, bool repeats)
    {
        Tensor x = source.Values([source.Extent(4), source.Extent(7, least: 2), source.Extent(5)]);
        Shape picked = x.Shape.With(1, 2);
        Tensor index = source.Ids(picked, 0, x.Shape[1] - 1);
        if (!repeats)
        {
            // Each line names two places that differ.
            Span<int> values = index.AsSpan<int>();
            int inner = picked[2];
            for (int i = 0; i < values.Length; i++) values[i] = i / Math.Max(inner, 1) % 2 == 0 ? 0 : 1 + (values[i] % (x.Shape[1] - 1));
        }

        return Case([x, index, source.Values(picked)], inputs => op(inputs[0], inputs[1], inputs[2]));
    }
}
