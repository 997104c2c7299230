namespace LoRA2.Native.Tensors.Tests;

/// <summary>Equation 5's losses against their definitions and their floors.</summary>
public sealed class OrthogonalityTests
{
    [Fact]
    public void OfTwoFactorsIsItsDefinitionAndNotBelowItsFloor() => Seeds.ForAll(150, source =>
    {
        (int m, int a, int b, int n) = (source.Extent(13), source.Extent(8), source.Extent(8), source.Extent(13));
        Tensor left = source.Values([m, a], 0.5);
        Tensor right = source.Values([b, n], 0.5);
        (PlainMatrix l, PlainMatrix r) = (new(left), new(right));
        double loss = Ops.Orthogonality(left, right).Item();
        Near((l.Transposed * l).GapFromIdentity() + (r * r.Transposed).GapFromIdentity(), loss);
        Assert.True(loss >= Math.Max(a - m, 0) + Math.Max(b - n, 0) - 1e-9);
    });

    [Fact]
    public void OfTwoFactorsIsAtItsFloorWhenTheyAreOrthonormal() => Seeds.ForAll(100, source =>
    {
        (int m, int a, int b, int n) = (source.Extent(13), source.Extent(8), source.Extent(8), source.Extent(13));
        double loss = Ops.Orthogonality(PlainMatrix.Orthonormal(m, a, source).ToTensor(), PlainMatrix.Orthonormal(b, n, source).ToTensor()).Item();
        Assert.Equal(Math.Max(a - m, 0) + Math.Max(b - n, 0), loss, 1e-9);
    });

    [Fact]
    public void OfProductsIsItsDefinitionAndNotBelowItsFloor() => Seeds.ForAll(150, source =>
    {
        (int inputs, int k, int r, int outputs) = (source.Extent(13), source.Extent(8), source.Extent(8), source.Extent(13));
        Tensor u = source.Values([inputs, k], 0.5);
        Tensor v = source.Values([k, r], 0.5);
        Tensor innerRight = source.Values([r, k], 0.5);
        Tensor outerRight = source.Values([k, outputs], 0.5);
        PlainMatrix p = new PlainMatrix(u) * new PlainMatrix(v);
        PlainMatrix q = new PlainMatrix(innerRight) * new PlainMatrix(outerRight);
        double loss = Ops.ProductOrthogonality(u, v, innerRight, outerRight).Item();
        Near((p.Transposed * p).GapFromIdentity() + (q * q.Transposed).GapFromIdentity(), loss);
        double floor = (2 * r) - Math.Min(r, Math.Min(k, inputs)) - Math.Min(r, Math.Min(k, outputs));
        Assert.True(loss >= floor - 1e-9);
        Assert.True(floor >= 2 * Math.Max(r - k, 0));
    });

    [Fact]
    public void OfProductsIsAtItsFloorWhenTheFactorsAreOrthonormal() => Seeds.ForAll(100, source =>
    {
        (int k, int r) = (source.Extent(8), source.Extent(8));
        (int inputs, int outputs) = (k + source.Extent(5), k + source.Extent(5));
        double loss = Ops.ProductOrthogonality(
            PlainMatrix.Orthonormal(inputs, k, source).ToTensor(),
            PlainMatrix.Orthonormal(k, r, source).ToTensor(),
            PlainMatrix.Orthonormal(r, k, source).ToTensor(),
            PlainMatrix.Orthonormal(k, outputs, source).ToTensor()).Item();
        Assert.Equal(2 * Math.Max(r - k, 0), loss, 1e-9);
    });

    private static void Near(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, expected), $"{actual:R} instead of {expected:R}");
}
