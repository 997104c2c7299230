using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>
/// One row of relative positions for all distances adds q_i · K to every score of a row of the softmax, which moves no probability: the row's gradient is 0. In single precision it is what rounding leaves of terms as large
/// as the queries', so it is held against a bound of that rounding instead of against its own size.
/// </summary>
public sealed class PositionRowTests
{
    private const int Length = 67, Size = 5;
    private const double Scale = 0.6;

    [Fact]
    public void InDoubleItsGradientIsThatOfCentralDifferences()
    {
        using var scope = new TensorScope();
        Tensor[] inputs = Inputs(DType.Float64);
        GradientCheck.Verify(parts => Attend(parts), inputs);
    }

    /// <summary>
    /// u = 2⁻²⁴. Row i's sum of the scores' gradients s P (dP − p), p = Σ P dP, is off by what rounds P, its sum, p and the products, at most (2 L + 10) u max |dP|; summing them over queries, then over distances, adds at
    /// most 3 L u times the sizes of what is added.
    /// </summary>
    [Fact]
    public void InSingleItIsWithinTheRoundingOfWhatCancels()
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        Tensor[] inputs = Inputs(DType.Float32);
        Tensor y = Attend(inputs), weights = Normal([1, Length, Size], 9, DType.Float32);
        tape.Backward(Ops.Sum(Ops.Multiply(y, weights)));
        (double[] q, double[] k, double[] v, double[] dy) = (Values(inputs[0]), Values(inputs[1]), Values(inputs[2]), Values(weights));
        double[] bound = new double[Size];
        double u = Math.Pow(2, -24);
        for (int i = 0; i < Length; i++)
        {
            double[] p = [.. Enumerable.Range(0, Length).Select(j => Math.Exp(Scale * Dot(q, i, k, j)))];
            double sum = p.Sum();
            double[] dp = [.. Enumerable.Range(0, Length).Select(j => Dot(dy, i, v, j))];
            double mean = p.Zip(dp, (x, d) => x / sum * d).Sum(), most = dp.Max(Math.Abs), sizes = p.Zip(dp, (x, d) => x / sum * Math.Abs(d - mean)).Sum();
            for (int c = 0; c < Size; c++) bound[c] += Scale * u * Math.Abs(q[(i * Size) + c]) * ((((2 * Length) + 10) * most) + (3 * Length * sizes));
        }

        float[] gradient = inputs[3].Grad!.ToArray<float>();
        for (int c = 0; c < Size; c++) Assert.InRange(Math.Abs(gradient[c]), 0, bound[c]);
        Assert.InRange(bound.Max(), 0, 1e-2);
        Assert.All(inputs[..3], input => Assert.Contains(input.Grad!.ToArray<float>(), value => Math.Abs(value) > 0.1));
    }

    private static Tensor Attend(IReadOnlyList<Tensor> parts) =>
        Ops.DisentangledAttention(parts[0], parts[1], parts[2], new AttentionTerms(1, Scale, null, false, DropoutMask.None, PositionKey: parts[3], PositionOf: new int[(2 * Length) - 1]));

    private static Tensor[] Inputs(DType type)
    {
        Tensor[] inputs = [Normal([1, Length, Size], 1, type), Normal([1, Length, Size], 2, type), Normal([1, Length, Size], 3, type), Normal([1, Size], 4, type)];
        foreach (Tensor input in inputs) input.RequiresGrad = true;
        return inputs;
    }

    private static Tensor Normal(Shape shape, uint stream, DType type)
    {
        Tensor tensor = Tensor.Empty(shape);
        new Philox(7, stream).FillNormal(tensor.AsSpan<float>(), 0, 1);
        return type == DType.Float32 ? tensor : tensor.To(type);
    }

    private static double[] Values(Tensor tensor) => [.. tensor.ToArray<float>().Select(value => (double)value)];

    private static double Dot(double[] a, int i, double[] b, int j) => Enumerable.Range(0, Size).Sum(c => a[(i * Size) + c] * b[(j * Size) + c]);
}
