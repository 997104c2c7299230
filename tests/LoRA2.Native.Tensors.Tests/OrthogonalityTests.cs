using FsCheck.Xunit;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Equation 5's losses against their definitions and their floors.</summary>
public sealed class OrthogonalityTests
{
    [Property(MaxTest = 150)]
    public void EveryChoiceIsItsDefinitionAndNotBelowItsFloor(CaseSource source)
    {
        using var scope = new TensorScope();
        LoRA2Factors[] adapters = [.. Enumerable.Range(0, source.Int(1, 4)).Select(_ =>
            LoRA2LinearTests.Factors(source, source.WideExtent(13), source.WideExtent(13), source.Extent(11), source.Extent(8)))];
        foreach (OrthogonalityKind kind in Enum.GetValues<OrthogonalityKind>())
        {
            double loss = Ops.LoRA2Orthogonality(adapters, kind).Item();
            Near(adapters.Average(factors => Expected(factors, kind)), loss);
            Assert.True(loss >= adapters.Average(factors => Floor(factors, kind)) - 1e-9);
        }
    }

    [Property(MaxTest = 100)]
    public void ItIsAtItsFloorWhenTheFactorsAreOrthonormal(CaseSource source)
    {
        using var scope = new TensorScope();
        (int k, int r) = (source.Extent(8), source.Extent(8));
        (int inputs, int outputs) = (k + source.Extent(5), k + source.Extent(5));
        var factors = new LoRA2Factors(
            PlainMatrix.Orthonormal(inputs, k, source).ToTensor(),
            PlainMatrix.Orthonormal(k, r, source).ToTensor(),
            Tensor.Zeros([r], DType.Float64),
            PlainMatrix.Orthonormal(r, k, source).ToTensor(),
            PlainMatrix.Orthonormal(k, outputs, source).ToTensor());
        Assert.Equal(2 * Math.Max(k - r, 0), Ops.LoRA2Orthogonality([factors], OrthogonalityKind.Planes).Item(), 1e-9);
        Assert.Equal(2 * Math.Max(r - k, 0), Ops.LoRA2Orthogonality([factors], OrthogonalityKind.Products).Item(), 1e-9);
    }

    [Property(MaxTest = 100)]
    public void OfAdaLoRAIsTheMeanNorm(CaseSource source)
    {
        using var scope = new TensorScope();
        (Tensor, Tensor)[] pairs = [.. Enumerable.Range(0, source.Int(1, 4)).Select(_ =>
            (source.Values([source.WideExtent(13), source.Extent(11)], 0.5), source.Values([source.Extent(11), source.WideExtent(13)], 0.5)))];
        double expected = 0;
        foreach ((Tensor left, Tensor right) in pairs)
        {
            (PlainMatrix l, PlainMatrix r) = (new(left), new(right));
            expected += (Math.Sqrt((l.Transposed * l).GapFromIdentity()) + Math.Sqrt((r * r.Transposed).GapFromIdentity())) / (2 * pairs.Length);
        }

        Near(expected, Ops.OrthogonalityNorm(pairs).Item());
    }

    /// <summary>A gradient that is there already is added to where it lies.</summary>
    [Property(MaxTest = 50)]
    public void TheGradientIsAddedToWhatTheFactorsHave(CaseSource source)
    {
        using var scope = new TensorScope();
        LoRA2Factors factors = LoRA2LinearTests.Factors(source, source.Extent(13), source.Extent(13), source.Extent(5, least: 1), source.Extent(5, least: 1));
        foreach (Tensor factor in factors) factor.RequiresGrad = true;
        double[][] Gradients(params double[] seeds)
        {
            foreach (Tensor factor in factors) factor.ClearGrad();
            foreach (double seed in seeds)
            {
                using var tape = new Tape();
                tape.Backward(Ops.LoRA2Orthogonality([factors], OrthogonalityKind.All), Tensor.Full([], seed, DType.Float64));
            }

            return [.. factors.Where(factor => factor.Grad is not null).Select(factor => factor.Grad!.ToArray<double>())];
        }

        double[][] once = Gradients(3), twice = Gradients(1, 2);
        for (int i = 0; i < once.Length; i++)
        {
            for (int j = 0; j < once[i].Length; j++) Near(once[i][j], twice[i][j]);
        }
    }

    private static double Expected(LoRA2Factors factors, OrthogonalityKind kind)
    {
        (PlainMatrix u, PlainMatrix v, PlainMatrix right, PlainMatrix outer) = (new(factors.OuterLeft), new(factors.InnerLeft), new(factors.InnerRight), new(factors.OuterRight));
        (PlainMatrix p, PlainMatrix q) = (u * v, right * outer);
        double loss = 0;
        if (kind.HasFlag(OrthogonalityKind.Left)) loss += (u.Transposed * u).GapFromIdentity() + (v * v.Transposed).GapFromIdentity();
        if (kind.HasFlag(OrthogonalityKind.Right)) loss += (right.Transposed * right).GapFromIdentity() + (outer * outer.Transposed).GapFromIdentity();
        if (kind.HasFlag(OrthogonalityKind.Products)) loss += (p.Transposed * p).GapFromIdentity() + (q * q.Transposed).GapFromIdentity();
        return loss;
    }

    private static double Floor(LoRA2Factors factors, OrthogonalityKind kind)
    {
        (int inputs, int outputs, int k, int r) = (factors.OuterLeft.Shape[0], factors.OuterRight.Shape[1], factors.OuterRank, factors.Rank);
        double floor = 0;
        if (kind.HasFlag(OrthogonalityKind.Left)) floor += Math.Max(k - inputs, 0) + Math.Max(k - r, 0);
        if (kind.HasFlag(OrthogonalityKind.Right)) floor += Math.Max(k - outputs, 0) + Math.Max(k - r, 0);
        if (kind.HasFlag(OrthogonalityKind.Products)) floor += (2 * r) - Math.Min(r, Math.Min(k, inputs)) - Math.Min(r, Math.Min(k, outputs));
        return floor;
    }

    private static void Near(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, Math.Abs(expected)), $"{actual:R} instead of {expected:R}");
}
