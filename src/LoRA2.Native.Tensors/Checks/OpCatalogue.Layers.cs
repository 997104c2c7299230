namespace LoRA2.Native.Tensors.Checks;

/// <content>Generators of layers and losses.</content>
public static partial class OpCatalogue
{
    private static IEnumerable<OpEntry> Layers()
    {
        yield return Twice(nameof(Ops.RmsNorm), source =>
        {
            int width = source.Extent(7, least: 1);
            return Case([source.Values([source.Extent(5), width]), source.Values([width])], inputs => Ops.RmsNorm(inputs[0], inputs[1], 0.1));
        });
        yield return Twice(nameof(Ops.GroupNorm), source => Case(
            [source.Values([source.Extent(3), 6, source.Extent(4, least: 2)]), source.Values([6]), source.Values([6])], inputs => Ops.GroupNorm(inputs[0], 3, inputs[1], inputs[2], 0.1)));
        yield return Twice(nameof(Ops.BatchNorm), source => Case(
            [source.Values([source.Extent(4, least: 2), 3, source.Extent(4, least: 1)]), source.Values([3]), source.Values([3])], inputs => Ops.BatchNorm(inputs[0], null, null, inputs[1], inputs[2], training: true, epsilon: 0.1)));
        yield return Twice(nameof(Ops.Conv1d), source => Convolution(source, 1));
        yield return Twice(nameof(Ops.Conv2d), source => Convolution(source, 2));
        yield return Twice(nameof(Ops.ConvTranspose1d), source =>
        {
            (int stride, int padding, int dilation) = (source.Int(1, 3), source.Int(0, 1), source.Int(1, 2));
            var steps = new ConvolutionSteps { Stride = [stride], Padding = [padding], Dilation = [dilation] };
            return Case([source.Values([2, 4, source.Extent(5, least: 2)]), source.Values([4, 3, 3]), source.Values([6])], inputs => Ops.ConvTranspose1d(inputs[0], inputs[1], inputs[2], steps, stride - 1, 2), $"{stride} {padding} {dilation}");
        });
        yield return Twice(nameof(Ops.MaxPool1d), source => Case([source.Distinct([2, 3, source.Extent(11, least: 4)])], inputs => Ops.MaxPool1d(inputs[0], new PoolWindows([3]) { Stride = [2], Padding = [1] }).Values));
        yield return Twice(nameof(Ops.MaxPool2d), source => Case([source.Distinct([2, source.Extent(8, least: 4), 5])], inputs => Ops.MaxPool2d(inputs[0], new PoolWindows([2, 3]) { Stride = [2, 1], CeilMode = true }).Values));
        yield return Twice(nameof(Ops.AvgPool1d), source => Case([source.Values([2, 3, source.Extent(11, least: 4)])], inputs => Ops.AvgPool1d(inputs[0], new PoolWindows([3]) { Stride = [2], Padding = [1] }, countPadding: false)));
        yield return Twice(nameof(Ops.AvgPool2d), source => Case([source.Values([2, source.Extent(8, least: 4), 5])], inputs => Ops.AvgPool2d(inputs[0], new PoolWindows([2, 3]) { Stride = [1, 2], CeilMode = true })));
        yield return Twice(nameof(Ops.AdaptiveAvgPool1d), source => Case([source.Values([2, source.Extent(11, least: 1)])], inputs => Ops.AdaptiveAvgPool1d(inputs[0], 3)));
        yield return Twice(nameof(Ops.AdaptiveAvgPool2d), source => Case([source.Values([2, source.Extent(8, least: 1), 5])], inputs => Ops.AdaptiveAvgPool2d(inputs[0], 3, 2)));
        yield return Twice(nameof(Ops.PixelShuffle), source => Case([source.Values([source.Extent(3), 8, 2, source.Extent(3)])], inputs => Ops.PixelShuffle(inputs[0], 2)));
        yield return Twice(nameof(Ops.InterpolateNearest), source => Case([source.Values([2, 3, source.Extent(5, least: 1)])], inputs => Ops.InterpolateNearest(inputs[0], [5, 4])));
        yield return Twice(nameof(Ops.InterpolateLinear), source =>
        {
            bool corners = source.Flag();
            return Case([source.Values([2, 3, source.Extent(5, least: 1)])], inputs => Ops.InterpolateLinear(inputs[0], [5, 4], corners));
        });
        yield return Twice(nameof(Ops.ScaledDotProductAttention), source =>
        {
            (int n, int d) = (source.Extent(5, least: 1), source.Extent(4, least: 1));
            bool causal = source.Flag();
            return Case([source.Values([2, n, d]), source.Values([2, n, d]), source.Values([2, n, 3])], inputs => Ops.ScaledDotProductAttention(inputs[0], inputs[1], inputs[2], causal: causal).Values);
        });
        yield return Twice(nameof(Ops.Lstm), source => Recurrent(source, 4));
        yield return Twice(nameof(Ops.Gru), source => Recurrent(source, 3));
    }

    private static IEnumerable<OpEntry> MoreLosses()
    {
        yield return Twice(nameof(Ops.NegativeLogLikelihood), source =>
        {
            int rows = source.Extent(5, least: 1);
            return Case([source.Values([rows, 4]), source.Ids([rows], 0, 3), source.Uniform([4], 0.5, 2)], inputs => Ops.NegativeLogLikelihood(Ops.LogSoftmax(inputs[0], 1), inputs[1], weight: inputs[2]));
        });
        yield return Loss(nameof(Ops.BinaryCrossEntropyWithLogits), (x, t, reduction) => Ops.BinaryCrossEntropyWithLogits(x, Ops.Sigmoid(t), reduction));
        yield return Loss(nameof(Ops.L1Loss), Ops.L1Loss);
        yield return Loss(nameof(Ops.SmoothL1Loss), (x, t, reduction) => Ops.SmoothL1Loss(x, t, reduction, 0.03));
        yield return Loss(nameof(Ops.HuberLoss), (x, t, reduction) => Ops.HuberLoss(x, t, reduction, 100));
        yield return Loss(nameof(Ops.KullbackLeibler), (x, t, reduction) => Ops.KullbackLeibler(x, Ops.Exp(t), reduction));
        yield return Loss(nameof(Ops.CosineSimilarity), (x, t, _) => Ops.CosineSimilarity(x, t, -1));
        yield return Loss(nameof(Ops.CosineEmbeddingLoss), (x, t, reduction) => Ops.CosineEmbeddingLoss(x, t, Tensor.Full([x.Shape[0]], 1, DType.Int32), 0.1, reduction));
        yield return Loss(nameof(Ops.TripletMarginLoss), (x, t, reduction) => Ops.TripletMarginLoss(x, t, Ops.Scale(t, 1.5), 50, reduction: reduction));
        yield return Loss(nameof(Ops.MarginRankingLoss), (x, t, reduction) => Ops.MarginRankingLoss(x, t, Tensor.Full(x.Shape, -1, x.DType), 20, reduction));
    }

    private static OpEntry Twice(string name, Func<CaseSource, OpCase> draw) => new(name, draw) { IsTwiceDifferentiable = true };

    private static OpEntry Loss(string name, Func<Tensor, Tensor, LossReduction, Tensor> op) => new(name, source =>
    {
        Shape shape = [source.Extent(5, least: 1), source.Extent(4, least: 2)];
        var reduction = (LossReduction)source.Int(0, 2);
        Tensor both = source.Distinct([2, .. shape.Extents]);
        both.RequiresGrad = false;
        Tensor[] parts = [Ops.Select(both, 0, 0).Clone(), Ops.Select(both, 0, 1).Clone()];
        foreach (Tensor part in parts) part.RequiresGrad = true;
        return Case(parts, inputs => op(inputs[0], inputs[1], reduction), reduction.ToString());
    })
    { IsTwiceDifferentiable = true };

    private static OpCase Convolution(CaseSource source, int axes)
    {
        int groups = source.Int(1, 2);
        int[] Numbers(int least, int most) => [.. Enumerable.Range(0, axes).Select(_ => source.Int(least, most))];
        var steps = new ConvolutionSteps { Stride = Numbers(1, 2), Padding = Numbers(0, 2), Dilation = Numbers(1, 2) };
        int[] extents = [.. Enumerable.Range(0, axes).Select(_ => source.Extent(7, least: 5))];
        int[] kernel = [.. Enumerable.Range(0, axes).Select(_ => source.Int(1, 3))];
        return Case(
            [source.Values([2, 2 * groups, .. extents]), source.Values([3 * groups, 2, .. kernel]), source.Values([3 * groups])],
            inputs => axes == 1 ? Ops.Conv1d(inputs[0], inputs[1], inputs[2], steps, groups) : Ops.Conv2d(inputs[0], inputs[1], inputs[2], steps, groups), $"{groups} groups");
    }

    private static OpCase Recurrent(CaseSource source, int gates)
    {
        (int length, int width, int size) = (source.Extent(4, least: 1), source.Extent(3, least: 1), source.Extent(3, least: 1));
        bool both = source.Flag();
        int directions = both ? 2 : 1;
        var inputs = new List<Tensor> { source.Values([length, 2, width]), source.Values([directions, 2, size]), source.Values([directions, 2, size], requiresGrad: gates == 4) };
        for (int i = 0; i < directions; i++) inputs.AddRange([source.Values([gates * size, width], 0.5), source.Values([gates * size, size], 0.5), source.Values([gates * size]), source.Values([gates * size])]);
        return Case(inputs, parts =>
        {
            RecurrentWeights[] weights = [.. parts.Skip(3).Chunk(4).Select(w => new RecurrentWeights(w[0], w[1], w[2], w[3]))];
            if (gates == 4)
            {
                (Tensor y, Tensor h, Tensor c) = Ops.Lstm(parts[0], parts[1], parts[2], weights, both);
                return Ops.Concat(0, Ops.Flatten(y), Ops.Flatten(h), Ops.Flatten(c));
            }

            (Tensor sequence, Tensor last) = Ops.Gru(parts[0], parts[1], weights, both);
            return Ops.Concat(0, Ops.Flatten(sequence), Ops.Flatten(last));
        });
    }
}
