using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tensors;

/// <content>A linear layer with another low-rank update for each segment of rows.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b + s_i (x A_iᵀ) B_iᵀ, where i is the segment that a row is in: <see cref="LoRALinear"/> of many adapters in one batch (as S-LoRA, arXiv 2311.03285, has it). x [.., in] is
    /// seen as rows; W [out, in] is multiplied once for all of them, A_i [r_i, in] and B_i [out, r_i] for the segment's rows alone. Ranks may differ. With <paramref name="activation"/>
    /// the result is activation(y), as of <see cref="Linear"/>.
    /// </summary>
    /// <param name="x">[.., in].</param>
    /// <param name="weight">[out, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="segments">In the rows' order; together they have all rows.</param>
    /// <param name="activation">What y goes through.</param>
    /// <exception cref="ArgumentException">Shapes, types or numbers of rows don't fit.</exception>
    public static Tensor SegmentedLoRALinear(Tensor x, Tensor weight, Tensor? bias, ReadOnlySpan<LowRankSegment> segments, Activation activation = Activation.None)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        Shape shape = LinearShape("SegmentedLoRALinear", x, weight, bias);
        RequireSegments(x, weight, segments);
        x = Contiguous(x);
        weight = Contiguous(weight);
        bias = bias is null ? null : Contiguous(bias);
        Tensor y = Tensor.Empty(shape, x.DType, x.Device);
        SegmentedLoRALinearNode? node = Records(x, weight, bias, segments) ? SegmentedLoRALinearNode.Of(x, weight, bias) : null;
        Tensor? activated = RoomForActivated(y, activation, node is not null);
        x.Device.Kernels.MatMul(x, false, weight, true, y, precision: weight.Precision);
        int row = 0;
        foreach (LowRankSegment segment in segments)
        {
            Tensor ySegment = RowsOf(y, row, segment.Rows);
            Tensor? activatedSegment = activated is null ? null : RowsOf(activated, row, segment.Rows);
            (Tensor a, Tensor b) = segment is { A: { } down, B: { } up } ? (Contiguous(down), Contiguous(up)) : (Tensor.Empty([0, x.Shape.Columns], x.DType, x.Device), Tensor.Empty([shape.Columns, 0], x.DType, x.Device));
            Tensor t = Tensor.Empty([segment.Rows, a.Shape[0]], x.DType, x.Device);
            x.Device.Kernels.MatMul(RowsOf(x, row, segment.Rows), false, a, true, t);
            x.Device.Kernels.MatMul(t, false, b, true, ySegment, segment.Scale, 1, new Epilogue(bias, Activated: activatedSegment, Activation: activation));
            node?.Add(a, b, t, segment.Scale);
            row += segment.Rows;
        }

        if (node is not null) Tape.Record(node, y);
        return Activated(y, activated, activation);
    }

    private static void RequireSegments(Tensor x, Tensor weight, ReadOnlySpan<LowRankSegment> segments)
    {
        long rows = 0;
        foreach (LowRankSegment segment in segments)
        {
            if (segment.Rows < 0) throw new ArgumentException($"SegmentedLoRALinear: a segment has {segment.Rows} rows");
            rows += segment.Rows;
            if (segment.A is null && segment.B is null) continue;
            if (segment is not { A: { } a, B: { } b } || a.Shape.Rank != 2 || b.Shape.Rank != 2 || a.Shape[1] != weight.Shape[1] || b.Shape[0] != weight.Shape[0] || a.Shape[0] != b.Shape[1])
                throw new ArgumentException($"SegmentedLoRALinear: A {segment.A?.Shape} and B {segment.B?.Shape} don't fit a weight of shape {weight.Shape}");
            RequireSameType("SegmentedLoRALinear", x, a, b);
        }

        if (rows != x.Shape.Rows) throw new ArgumentException($"SegmentedLoRALinear: the segments have {rows} rows together; x {x.Shape} has {x.Shape.Rows}");
    }

    private static bool Records(Tensor x, Tensor weight, Tensor? bias, ReadOnlySpan<LowRankSegment> segments)
    {
        bool records = Tape.Records(x, weight, bias);
        foreach (LowRankSegment segment in segments) records |= Tape.Records(segment.A, segment.B);
        return records;
    }

    /// <summary>Rows of a contiguous tensor seen as a matrix.</summary>
    private static Tensor RowsOf(Tensor x, int first, int count) => x.View([count, x.Shape.Columns], [x.Shape.Columns, 1], first * x.Shape.Columns);

    private sealed class SegmentedLoRALinearNode : LinearNodeBase
    {
        private readonly List<(Tensor A, Tensor B, Tensor T, double Scale)> segments = [];

        public static SegmentedLoRALinearNode Of(Tensor x, Tensor weight, Tensor? bias)
        {
            SegmentedLoRALinearNode node = Take<SegmentedLoRALinearNode>();
            node.Set(x, weight, bias, needsInput: true);
            node.segments.Clear();
            return node;
        }

        public void Add(Tensor a, Tensor b, Tensor t, double scale) => segments.Add((Save(a), Save(b), Save(t), scale));

        protected internal override void Backward(Tensor gradient)
        {
            Tensor? dx = WantedGradient(X);
            if (dx is not null) gradient.Device.Kernels.MatMul(gradient, false, Weight, false, dx, precision: Weight.Precision);
            int row = 0;
            foreach ((Tensor a, Tensor b, Tensor t, double scale) in segments)
            {
                int rows = t.Shape[0];
                Tensor dy = RowsOf(gradient, row, rows);
                AccumulateProduct(b, dy, true, t, false, scale);
                Tensor h = Tensor.Empty(t.Shape, t.DType, t.Device);
                h.Device.Kernels.MatMul(dy, false, b, false, h);
                if (dx is not null) h.Device.Kernels.MatMul(h, false, a, false, RowsOf(dx, row, rows), scale, 1);
                if (a.RequiresGrad) AccumulateProduct(a, h, true, RowsOf(Input, row, rows), false, scale);
                row += rows;
            }

            if (dx is not null) Accumulate(X, dx);
            AccumulateWeightAndBias(gradient);
        }
    }
}
