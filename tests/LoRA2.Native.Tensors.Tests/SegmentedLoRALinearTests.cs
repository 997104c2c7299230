using FsCheck.Xunit;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

public sealed class SegmentedLoRALinearTests
{
    /// <summary>Each segment's rows are what <see cref="Ops.LoRALinear"/> gives for them alone, whatever the others are.</summary>
    [Property(MaxTest = 200)]
    public void ASegmentIsTheLayerOfItsRowsAlone(CaseSource source)
    {
        using var scope = new TensorScope();
        (int inputs, int outputs) = (source.WideExtent(13), source.WideExtent(13));
        Tensor weight = source.Values([outputs, inputs], requiresGrad: false);
        Tensor bias = source.Values([outputs], requiresGrad: false);
        Activation activation = source.Flag() ? Activation.Gelu : Activation.None;
        LowRankSegment[] segments = [.. Enumerable.Range(0, source.Int(0, 5)).Select(_ => Segment(source, inputs, outputs))];
        Tensor x = source.Values([segments.Sum(segment => segment.Rows), inputs], requiresGrad: false);
        Tensor whole = Ops.SegmentedLoRALinear(x, weight, bias, segments, activation);
        int row = 0;
        foreach (LowRankSegment segment in segments)
        {
            Tensor own = Ops.Slice(x, 0, row, segment.Rows);
            Tensor alone = segment.A is null ? Ops.Linear(own, weight, bias, activation) : Ops.LoRALinear(own, weight, bias, segment.A, segment.B!, segment.Scale, activation);
            double[] expected = alone.ToArray<double>(), actual = Ops.Contiguous(Ops.Slice(whole, 0, row, segment.Rows)).ToArray<double>();
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-11);
            row += segment.Rows;
        }
    }

    [Fact]
    public void SegmentsThatDoNotFitAreRefused()
    {
        using var scope = new TensorScope();
        Tensor x = Tensor.Zeros([4, 3]), weight = Tensor.Zeros([5, 3]), a = Tensor.Zeros([2, 3]), b = Tensor.Zeros([5, 2]);
        string Refused(params LowRankSegment[] segments) => Assert.Throws<ArgumentException>(() => Ops.SegmentedLoRALinear(x, weight, null, segments)).Message;
        Assert.Contains("the segments have 3 rows together; x [4, 3] has 4", Refused(new LowRankSegment(1, a, b), new LowRankSegment(2)), StringComparison.Ordinal);
        Assert.Contains("A [5, 2] and B [2, 3] don't fit", Refused(new LowRankSegment(4, b, a)), StringComparison.Ordinal);
        Assert.Contains("A [2, 3] and B  don't fit", Refused(new LowRankSegment(4, a)), StringComparison.Ordinal);
        Assert.Contains("-1 rows", Refused(new LowRankSegment(5), new LowRankSegment(-1)), StringComparison.Ordinal);
    }

    private static LowRankSegment Segment(CaseSource source, int inputs, int outputs)
    {
        (int rows, int rank) = (source.Extent(), source.Extent(8));
        return source.Int(0, 3) == 0 ? new LowRankSegment(rows) : new LowRankSegment(rows, source.Values([rank, inputs], requiresGrad: false), source.Values([outputs, rank], requiresGrad: false), source.Int(-4, 4) / 2.0);
    }
}
