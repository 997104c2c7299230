using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Tests.Kernels;

public sealed class PoolingTests : KernelTest
{
    /// <summary>A share of the largest element: sums of a row are added in another order than the CPU's.</summary>
    private const double Close = 2e-6;

    [Fact]
    public void Normalize()
    {
        foreach ((int rows, int columns) in Matrices)
        {
            // The last row is shorter than ε.
            float[] x = Normal(rows * columns, 1, 3);
            if (rows > 1) x.AsSpan((rows - 1) * columns).Clear();
            if (rows > 1 && columns > 0) x[^1] = 1e-7f;
            AssertClose(Close, side =>
            {
                (Tensor y, Tensor reciprocal, Tensor dx) = (side.Unset(rows, columns), side.Of(new float[rows], rows), side.Unset(rows, columns));
                side.Kernels.Normalize(side.Of(x, rows, columns), 1e-5, y, reciprocal);
                side.Kernels.NormalizeBackward(y, reciprocal, side.Of(Normal(rows * columns, 2), rows, columns), dx);
                return [y, reciprocal, dx];
            }, $"{rows} x {columns}");
        }
    }

    [Theory]
    [InlineData(0, 3, 5)]
    [InlineData(2, 1, 7)]
    [InlineData(3, 9, 33)]
    [InlineData(5, 17, 131)]
    public void MaskedMax(int batch, int length, int width)
    {
        int[] mask = Integers(batch * length, 1, 0, 1);
        if (batch > 1) mask.AsSpan(length, length).Clear();
        float[] x = Normal(batch * length * width, 2);
        for (int i = 0; i < x.Length; i += 37) x[i] = float.NaN;
        AssertUlps(0, side =>
        {
            (Tensor y, Tensor places, Tensor dx) = (side.Unset(batch, width), side.Of(new int[batch * width], batch, width), side.Of(new float[x.Length], batch, length, width));
            side.Kernels.MaskedMax(side.Of(x, batch, length, width), side.Of(mask, batch, length), y, places);
            side.Kernels.MaskedMaxBackward(places, side.Of(Normal(batch * width, 3), batch, width), dx);
            return [y, dx];
        }, $"{batch} x {length} x {width}");
    }
}
