using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Checks;

/// <content>The generators of the built-in ops.</content>
public static partial class OpCatalogue
{
    /// <summary>Fused ops whose gradient is written in ops too; a property, since <see cref="BuiltIn"/> asks for it before static fields of other files are set.</summary>
    private static string[] FusedTwice =>
    [
        nameof(Ops.Add), nameof(Ops.Subtract), nameof(Ops.Multiply), nameof(Ops.Scale), nameof(Ops.Activate), nameof(Ops.Gelu), nameof(Ops.Tanh), nameof(Ops.Silu), nameof(Ops.Relu), nameof(Ops.Softmax),
        nameof(Ops.MaskedSoftmax), nameof(Ops.LayerNorm), nameof(Ops.Dropout), nameof(Ops.Contiguous), nameof(Ops.Reshape), nameof(Ops.Permute), nameof(Ops.Transpose), nameof(Ops.Slice), nameof(Ops.Concat), nameof(Ops.Sum),
        nameof(Ops.Mean), nameof(Ops.MatMul), nameof(Ops.Linear),
    ];

    // Called by a static field's initialiser, so it must not look at another one: in which order those of several files run is not laid down.
    private static IEnumerable<OpEntry> BuiltIn()
    {
        string[] twice = FusedTwice;
        return
        [
            .. Fused().Select(entry => entry with { IsTwiceDifferentiable = twice.Contains(entry.Name) }),
            .. ((IEnumerable<OpEntry>[])[Functions(), Comparisons(), Reductions(), Views(), Picking(), MoreProducts(), LinearAlgebra(), Layers(), MoreLosses(), OfPickedRows()]).SelectMany(entries => entries).Select(entry => entry with { OnCpuOnly = true }),
        ];
    }

    private static IEnumerable<OpEntry> Fused()
    {
        yield return Binary(nameof(Ops.Add), Ops.Add);
        yield return Binary(nameof(Ops.Subtract), Ops.Subtract);
        yield return Binary(nameof(Ops.Multiply), Ops.Multiply);
        yield return Unary(nameof(Ops.Scale), x => Ops.Scale(x, -1.75));
        yield return new(nameof(Ops.Activate), Activate);
        yield return Unary(nameof(Ops.Gelu), Ops.Gelu);
        yield return Unary(nameof(Ops.Tanh), Ops.Tanh);
        yield return Unary(nameof(Ops.Silu), Ops.Silu);
        yield return new(nameof(Ops.Relu), source => Case([source.ValuesAwayFromZero(source.Shape())], inputs => Ops.Relu(inputs[0])));
        yield return new(nameof(Ops.Softmax), source => Case([source.Values([source.Extent(7), source.WideExtent()])], inputs => Ops.Softmax(inputs[0])));
        yield return new(nameof(Ops.MaskedSoftmax), MaskedSoftmax);
        yield return new(nameof(Ops.MaskedMax), MaskedMax);
        yield return new(nameof(Ops.Normalize), Normalize);
        yield return new(nameof(Ops.LayerNorm), LayerNorm);
        yield return new(nameof(Ops.AddLayerNorm), source => AddLayerNorm(source, picksRows: false));
        yield return new(nameof(Ops.Dropout), source => Dropout(source, picksRows: false));
        yield return Unary(nameof(Ops.Contiguous), x => Ops.Contiguous(x.Shape.Rank > 1 ? Ops.Transpose(x) : x));
        yield return new(nameof(Ops.Reshape), Reshape);
        yield return new(nameof(Ops.Permute), Permute);
        yield return new(nameof(Ops.Transpose), source => Case([source.Values([source.Extent(5), source.Extent(7), source.Extent(5)])], inputs => Ops.Transpose(inputs[0])));
        yield return new(nameof(Ops.Slice), Slice);
        yield return new(nameof(Ops.Concat), Concat);
        yield return new(nameof(Ops.Gather), Gather);
        yield return new(nameof(Ops.Embedding), Embedding);
        yield return new(nameof(Ops.Sum), source => Reduction(source, Ops.Sum, (x, axis) => Ops.Sum(x, axis)));
        yield return new(nameof(Ops.Mean), source => Reduction(source, Ops.Mean, Ops.Mean));
        yield return new(nameof(Ops.Checkpoint), Checkpoint);
        yield return new(nameof(Ops.MatMul), MatMul);
        yield return new(nameof(Ops.Linear), Linear);
        yield return new(nameof(Ops.LoRALinear), LoRALinear);
        yield return new(nameof(Ops.SegmentedLoRALinear), SegmentedLoRALinear);
        yield return new(nameof(Ops.LoRA2Linear), LoRA2Linear);
        yield return new(nameof(Ops.Attention), source => Attention(source, disentangled: false, packed: false));
        yield return new(nameof(Ops.DisentangledAttention), source => Attention(source, disentangled: true, packed: false));
        yield return new(nameof(Ops.CrossEntropy), CrossEntropy);
        yield return new(nameof(Ops.MeanSquaredError), MeanSquaredError);
        yield return new(nameof(Ops.BinaryCrossEntropy), BinaryCrossEntropy);
        yield return new(nameof(Ops.OrthogonalityNorm), OrthogonalityNorm);
        yield return new(nameof(Ops.LoRA2Orthogonality), LoRA2Orthogonality);
    }

    private static OpEntry Unary(string name, Func<Tensor, Tensor> op) =>
        new(name, source => Case([source.Values(source.Shape())], inputs => op(inputs[0])));

    private static OpEntry Binary(string name, Func<Tensor, Tensor, Tensor> op) => new(name, source =>
    {
        Shape shape = source.Shape();
        int[] extents = shape.Extents.ToArray();
        for (int i = 0; i < extents.Length; i++)
        {
            if (source.Int(0, 3) == 0) extents[i] = 1;
        }

        Tensor a = source.Values(shape);
        Tensor b = source.Values(new Shape(extents.AsSpan(source.Int(0, extents.Length - 1))));
        return source.Flag() ? Case([a, b], inputs => op(inputs[0], inputs[1])) : Case([b, a], inputs => op(inputs[0], inputs[1]));
    });

    private static OpCase Case(IReadOnlyList<Tensor> inputs, Func<IReadOnlyList<Tensor>, Tensor> apply, string settings = "") =>
        new(inputs, apply, $"{string.Join(", ", inputs.Select(input => input.Description))} {settings}");

    private static OpCase MaskedSoftmax(CaseSource source)
    {
        Tensor x = source.Values([source.Extent(5), source.Extent(5), source.WideExtent()]);
        Tensor mask = source.Ids(source.Flag() ? x.Shape : [x.Shape[2]], 0, 1);
        return Case([x, mask], inputs => Ops.MaskedSoftmax(inputs[0], inputs[1]));
    }

    private static OpCase MaskedMax(CaseSource source)
    {
        Tensor x = source.Values([source.Extent(5), source.Extent(5), source.WideExtent()]);
        return Case([x, source.Ids([x.Shape[0], x.Shape[1]], 0, 1)], inputs => Ops.MaskedMax(inputs[0], inputs[1]));
    }

    private static OpCase Normalize(CaseSource source)
    {
        // Rows long enough that the kink at ε is far; or an ε beyond all of them.
        double epsilon = source.Int(0, 3) == 0 ? 1e3 : 1e-2;
        return Case([source.ValuesAwayFromZero([source.Extent(7), source.Extent(3), source.WideExtent(17, least: 1)], 0.25)], inputs => Ops.Normalize(inputs[0], epsilon), $"epsilon {epsilon}");
    }

    private static OpCase LayerNorm(CaseSource source)
    {
        int width = source.WideExtent(17, least: 2);
        return Case(
            [source.Values([source.Extent(7), source.Extent(3), width]), source.Values([width]), source.Values([width])],
            inputs => Ops.LayerNorm(inputs[0], inputs[1], inputs[2], 1e-2));
    }

    private static OpCase AddLayerNorm(CaseSource source, bool picksRows)
    {
        Shape shape = [source.Extent(7), source.Extent(3), source.WideExtent(17, least: 2)];
        Shape width = [shape.Columns];
        DropoutMask mask = picksRows ? OfRows(Mask(source), shape, source) : source.Flag() ? Mask(source) : default;
        (bool x, bool residual) = (source.Flag(), source.Flag());
        return Case(
            [source.Values(shape, requiresGrad: x || !residual), source.Values(shape, requiresGrad: residual), source.Values(width, requiresGrad: source.Flag()), source.Values(width)],
            inputs => Ops.AddLayerNorm(inputs[0], inputs[1], inputs[2], inputs[3], 1e-2, mask),
            mask.ToString());
    }

    private static DropoutMask Mask(CaseSource source) =>
        new(source.Int(0, 9) / 10.0, (ulong)source.Int(0, int.MaxValue - 1), (uint)source.Int(0, 1000), (uint)source.Int(0, 99));

    private static OpCase Dropout(CaseSource source, bool picksRows)
    {
        Shape shape = source.Shape();
        DropoutMask mask = picksRows ? OfRows(Mask(source), shape, source) : Mask(source);
        return Case([source.Values(shape)], inputs => Ops.Dropout(inputs[0], mask), mask.ToString());
    }

    private static OpCase Reshape(CaseSource source)
    {
        Tensor x = source.Values([source.Extent(5), source.Extent(7), source.Extent(5)]);
        return Case([x], inputs => Ops.Reshape(inputs[0], x.Shape[0] * x.Shape[1], x.Shape[2]));
    }

    private static OpCase Permute(CaseSource source)
    {
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        int[] order = orders[source.Int(0, 5)];
        return Case([source.Values([source.Extent(5), source.Extent(7), source.Extent(5)])], inputs => Ops.Permute(inputs[0], order), string.Join(' ', order));
    }

    private static OpCase Slice(CaseSource source)
    {
        Tensor x = source.Values(source.Shape());
        int axis = source.Int(0, x.Shape.Rank - 1);
        int start = source.Int(0, x.Shape[axis]);
        int length = source.Int(0, x.Shape[axis] - start);
        return Case([x], inputs => Ops.Slice(inputs[0], axis, start, length), $"axis {axis} from {start}, {length}");
    }

    private static OpCase Concat(CaseSource source)
    {
        Shape shape = source.Shape(mostElements: 60);
        int axis = source.Int(0, shape.Rank - 1);
        Tensor[] inputs = [.. Enumerable.Range(0, source.Int(1, 3)).Select(_ => source.Values(shape.With(axis, source.Extent(5))))];
        return Case(inputs, parts => Ops.Concat(axis, [.. parts]), $"axis {axis}");
    }

    private static OpCase Gather(CaseSource source)
    {
        Tensor x = source.Values([source.Extent(7, least: 1), source.Extent(3), source.Extent(7)]);
        return Case([x, source.Ids([source.Extent(13)], 0, x.Shape[0] - 1)], inputs => Ops.Gather(inputs[0], inputs[1]));
    }

    private static OpCase Embedding(CaseSource source)
    {
        int vocabulary = source.Extent(13, least: 1);
        return Case(
            [source.Values([vocabulary, source.Extent()]), source.Ids([source.Extent(3), source.Extent(7)], 0, vocabulary - 1)],
            inputs => Ops.Embedding(inputs[0], inputs[1]));
    }

    private static OpCase Reduction(CaseSource source, Func<Tensor, Tensor> all, Func<Tensor, int, Tensor> along)
    {
        bool mean = all == Ops.Mean;
        Tensor x = source.Values(mean ? [source.Extent(5, least: 1), source.Extent(7, least: 1), source.Extent(5, least: 1)] : source.Shape());
        int axis = source.Int(0, x.Shape.Rank - 1);
        return source.Flag() ? Case([x], inputs => all(inputs[0]), "all") : Case([x], inputs => along(inputs[0], axis), $"axis {axis}");
    }

    private static OpCase MatMul(CaseSource source)
    {
        (int m, int k, int n) = (source.WideExtent(), source.WideExtent(13), source.WideExtent());
        int[] batch = source.Flag() ? [] : [source.Extent(3), source.Extent(2)];
        bool transposeA = source.Flag();
        bool transposeB = source.Flag();
        if (batch.Length > 0) (m, n) = (Math.Min(m, 5), Math.Min(n, 5));
        Tensor a = source.Values(new Shape([.. batch, .. transposeA ? (int[])[k, m] : [m, k]]));
        Tensor b = source.Values(new Shape([.. batch, .. transposeB ? (int[])[n, k] : [k, n]]));
        return Case([a, b], inputs => Ops.MatMul(inputs[0], inputs[1], transposeA, transposeB), $"transposes {transposeA} {transposeB}");
    }

    /// <summary>Every activation, away from the kinks at 0.</summary>
    private static OpCase Activate(CaseSource source)
    {
        Activation[] all = Enum.GetValues<Activation>();
        Activation activation = all[source.Int(0, all.Length - 1)];
        return Case([source.ValuesAwayFromZero(source.Shape())], inputs => Ops.Activate(inputs[0], activation), $"{activation}");
    }

    /// <summary>For the result of a product, which can't be kept away from 0; none as often as one of them.</summary>
    private static Activation AnySmoothActivation(CaseSource source)
    {
        Activation[] smooth = [.. Enum.GetValues<Activation>().Where(activation => activation is not (Activation.None or Activation.Relu))];
        return source.Flag() ? smooth[source.Int(0, smooth.Length - 1)] : Activation.None;
    }

    private static OpCase Linear(CaseSource source)
    {
        (int inputs, int outputs) = (source.WideExtent(13), source.WideExtent());
        Func<Tensor, Tensor> layer = Layer(source, out bool trainable);
        Activation activation = AnySmoothActivation(source);
        Tensor x = source.Values([source.Extent(3), source.WideExtent(5), inputs], requiresGrad: !trainable || source.Flag());
        Tensor weight = source.Values([outputs, inputs], requiresGrad: trainable);
        return source.Flag()
            ? Case([x, weight, source.Values([outputs])], parts => Ops.Linear(parts[0], layer(parts[1]), parts[2], activation))
            : Case([x, weight], parts => Ops.Linear(parts[0], layer(parts[1]), activation: activation));
    }

    /// <summary>Two layers, of which the second reads what gelu gave the first.</summary>
    private static OpCase Checkpoint(CaseSource source)
    {
        (int inputs, int middle) = (source.Extent(5), source.Extent(7));
        bool trained = source.Flag();
        return Case(
            [source.Values([source.Extent(3), source.WideExtent(5), inputs], requiresGrad: !trained || source.Flag()), source.Values([middle, inputs], requiresGrad: trained), source.Values([inputs, middle])],
            parts => Ops.Checkpoint(() => Ops.Add(parts[0], Ops.Linear(Ops.Linear(parts[0], parts[1], activation: Activation.Gelu), parts[2])), parts[0]));
    }

    /// <summary>Whether a layer's weight is trained, and what makes the weight ready: a fixed one is often promised never to change, and so packed.</summary>
    private static Func<Tensor, Tensor> Layer(CaseSource source, out bool trainable)
    {
        trainable = source.Flag();
        return !trainable && source.Int(0, 2) > 0 ? weight => weight.Freeze() : weight => weight;
    }

    private static OpCase LoRALinear(CaseSource source)
    {
        (int inputs, int outputs, int rank) = (source.WideExtent(13), source.WideExtent(13), source.Extent(5));
        Func<Tensor, Tensor> layer = Layer(source, out bool trainable);
        Activation activation = AnySmoothActivation(source);
        return Case(
            [source.Values([source.Extent(2), source.Extent(5), inputs]), source.Values([outputs, inputs], requiresGrad: trainable), source.Values([outputs]), source.Values([rank, inputs]), source.Values([outputs, rank])],
            parts => Ops.LoRALinear(parts[0], layer(parts[1]), parts[2], parts[3], parts[4], 1.5, activation));
    }

    /// <summary>Segments of several ranks, one of them without an update; some have no rows.</summary>
    private static OpCase SegmentedLoRALinear(CaseSource source)
    {
        (int inputs, int outputs, int rank, int length) = (source.WideExtent(13), source.WideExtent(13), source.Extent(5), source.Extent(5));
        Func<Tensor, Tensor> layer = Layer(source, out bool trainable);
        Activation activation = AnySmoothActivation(source);
        int[] sizes = [source.Extent(3), source.Extent(2), source.Extent(3)];
        return Case(
            [
                source.Values([sizes.Sum(), length, inputs], requiresGrad: source.Flag()), source.Values([outputs, inputs], requiresGrad: trainable), source.Values([outputs]),
                source.Values([rank, inputs]), source.Values([outputs, rank]), source.Values([2, inputs]), source.Values([outputs, 2]),
            ],
            parts => Ops.SegmentedLoRALinear(
                parts[0],
                layer(parts[1]),
                parts[2],
                [new(sizes[0] * length, parts[3], parts[4], 1.5), new(sizes[1] * length), new(sizes[2] * length, parts[5], parts[6], -0.5)],
                activation));
    }

    private static OpCase LoRA2Linear(CaseSource source)
    {
        (int inputs, int outputs, int k, int r) = (source.WideExtent(11), source.WideExtent(11), source.Extent(4), source.Extent(8));
        Func<Tensor, Tensor> layer = Layer(source, out bool trainable);
        Activation activation = AnySmoothActivation(source);
        return Case(
            [
                source.Values([source.Extent(2), source.Extent(4), inputs], requiresGrad: source.Flag()), source.Values([outputs, inputs], requiresGrad: trainable), source.Values([outputs]),
                source.Values([inputs, k], 0.7), source.Values([k, r], 0.7), source.Values([r]), source.Values([r, k], 0.7), source.Values([k, outputs], 0.7),
            ],
            parts => Ops.LoRA2Linear(parts[0], layer(parts[1]), parts[2], new LoRA2Factors(parts[3], parts[4], parts[5], parts[6], parts[7]), 0.75, activation));
    }

    private static OpCase Attention(CaseSource source, bool disentangled, bool packed)
    {
        (int batch, int length, int heads, int size) = (source.Extent(3), source.Extent(5), source.Int(1, 3), source.Extent(5));
        if (source.Int(0, 3) == 0) (batch, length) = (1, source.WideExtent(8, least: 2));
        else if (source.Int(0, 3) == 0) (heads, size) = (1, source.WideExtent(8, least: 2));
        else if (source.Int(0, 5) == 0) (batch, length, heads, size) = (1, source.Int(129, 150), 1, source.Extent(3, least: 1));
        (Tensor? starts, int tokens) = packed ? Starts(source, batch, length) : (null, 0);
        Shape shape = starts is null ? [batch, length, heads * size] : [tokens, 1, heads * size];
        var inputs = new List<Tensor> { source.Values(shape), source.Values(shape), source.Values(shape) };
        Tensor? mask = starts is null && source.Flag() ? source.Ids([batch, length], 0, 1) : null;
        if (mask is not null && batch > 1 && source.Flag()) mask.AsSpan<int>()[..length].Clear();
        (int rows, int[] positions) = Positions(source, length);
        bool toPosition = disentangled && source.Flag();
        bool toContent = disentangled && (source.Flag() || !toPosition);
        if (toPosition) inputs.Add(source.Values([rows, heads * size]));
        if (toContent) inputs.Add(source.Values([rows, heads * size]));
        var dropout = new DropoutMask(source.Flag() ? 0.3 : 0, 7, 1, (uint)source.Int(0, 9));
        var terms = new AttentionTerms(heads, 0.6, mask, source.Flag(), dropout, PositionOf: disentangled ? positions : null) { Starts = starts, Longest = length };
        return Case(inputs, parts => disentangled
            ? Ops.DisentangledAttention(parts[0], parts[1], parts[2], terms with { PositionKey = toPosition ? parts[3] : null, PositionQuery = toContent ? parts[^1] : null })
            : Ops.Attention(parts[0], parts[1], parts[2], terms), terms.ToString());
    }

    /// <summary>Keys up to which one row of positions is drawn for all distances.</summary>
    private const int MostKeysOfOneRow = 8;

    /// <summary>The rows of distances: one for each, runs that share one (as logarithmic buckets do), or any.</summary>
    private static (int Rows, int[] Of) Positions(CaseSource source, int length)
    {
        int distances = Math.Max((2 * length) - 1, 0);
        int kind = source.Int(0, 2);
        // One row for many keys adds the same to all scores of a row, and what is left of its gradient in single precision is rounding: PositionRowTests have it.
        int rows = kind == 0 ? distances + source.Int(1, 3) : source.Int(length > MostKeysOfOneRow ? 2 : 1, 9);
        return (rows, [.. Enumerable.Range(0, distances).Select(i => kind switch
        {
            0 => i + rows - distances,
            1 => (int)((long)i * rows / distances),
            _ => source.Int(0, rows - 1),
        })]);
    }

    private static OpCase CrossEntropy(CaseSource source)
    {
        (int rows, int classes) = (source.Extent(), source.Extent(7, least: 1));
        return Case([source.Values([rows, classes]), source.Ids([rows], -1, classes - 1)], inputs => Ops.CrossEntropy(inputs[0], inputs[1]));
    }

    private static OpCase MeanSquaredError(CaseSource source)
    {
        Shape shape = source.Shape();
        return Case([source.Values(shape), source.Values(shape, requiresGrad: false)], inputs => Ops.MeanSquaredError(inputs[0], inputs[1]));
    }

    private static OpCase BinaryCrossEntropy(CaseSource source)
    {
        Shape shape = source.Shape();
        return Case([source.Values(shape), source.Values(shape, requiresGrad: false)], inputs => Ops.BinaryCrossEntropy(inputs[0], inputs[1]));
    }

    private static OpCase OrthogonalityNorm(CaseSource source)
    {
        Tensor[] inputs = [.. Enumerable.Range(0, source.Int(1, 3)).SelectMany(_ => (Tensor[])[
            source.Values([source.WideExtent(13), source.Extent(5)], 0.5), source.Values([source.Extent(5), source.WideExtent(13)], 0.5)])];
        return Case(inputs, parts => Ops.OrthogonalityNorm([.. parts.Chunk(2).Select(pair => (pair[0], pair[1]))]));
    }

    /// <summary>One to three adapters; sometimes the first two share their outer factors.</summary>
    private static OpCase LoRA2Orthogonality(CaseSource source)
    {
        var kind = (OrthogonalityKind)source.Int(1, (int)OrthogonalityKind.All);
        (int inputs, int outputs, int count) = (source.WideExtent(13), source.WideExtent(13), source.Int(1, 3));
        bool share = source.Flag();
        int k = source.Extent(11);
        var tensors = new List<Tensor>();
        for (int i = 0; i < count; i++)
        {
            if (!share) (inputs, outputs, k) = (source.Extent(13), source.Extent(13), source.Extent(5));
            int r = source.Extent(7);
            tensors.AddRange([source.Values([inputs, k], 0.4), source.Values([k, r], 0.4), source.Values([r, k], 0.4), source.Values([k, outputs], 0.4)]);
        }

        LoRA2Factors Factors(IReadOnlyList<Tensor> parts, int adapter)
        {
            int outer = share && adapter == 1 ? 0 : 4 * adapter;
            return new(parts[outer], parts[(4 * adapter) + 1], Tensor.Zeros([parts[(4 * adapter) + 2].Shape[0]], parts[0].DType), parts[(4 * adapter) + 2], parts[outer + 3]);
        }

        return Case([.. tensors], parts => Ops.LoRA2Orthogonality([.. Enumerable.Range(0, count).Select(adapter => Factors(parts, adapter))], kind), $"{kind}, {count} adapters, shared {share}");
    }
}
