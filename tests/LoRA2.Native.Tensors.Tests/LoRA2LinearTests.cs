using System.Runtime.InteropServices;
using FsCheck.Xunit;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>What METHODS.md says of LoRA2's layer, at random shapes with k below, at and above r.</summary>
public sealed class LoRA2LinearTests
{
    [Property(MaxTest = 200)]
    public void TheCollapsedFormIsTheExplicitOne(CaseSource source)
    {
        using var scope = new TensorScope();
        (int rows, int inputs, int outputs, int k, int r) = (source.Extent(7), source.Extent(13), source.WideExtent(13), source.Extent(8), source.Extent(8));
        double s = source.Int(-8, 8) / 4.0;
        Tensor x = source.Values([rows, inputs], requiresGrad: false);
        Tensor weight = source.Values([outputs, inputs], requiresGrad: false);
        Tensor bias = source.Values([outputs], requiresGrad: false);
        LoRA2Factors factors = Factors(source, inputs, outputs, k, r);
        PlainMatrix left = new PlainMatrix(factors.OuterLeft) * new PlainMatrix(factors.InnerLeft);
        PlainMatrix right = new PlainMatrix(factors.InnerRight) * new PlainMatrix(factors.OuterRight);
        PlainMatrix delta = left * PlainMatrix.Diagonal(factors.SingularValues.ToArray<double>()) * right;
        PlainMatrix frozen = new PlainMatrix(x) * new PlainMatrix(weight).Transposed;
        PlainMatrix update = new PlainMatrix(x) * delta;
        PlainMatrix expected = PlainMatrix.Make(rows, outputs, (i, j) => frozen[i, j] + bias.ToArray<double>()[j] + (s * update[i, j]));

        double[] actual = Ops.LoRA2Linear(x, weight, bias, factors, s).ToArray<double>();

        double scale = expected.Values.Select(Math.Abs).DefaultIfEmpty().Max() + update.Values.Select(Math.Abs).DefaultIfEmpty().Max() + 1;
        Assert.Equal(expected.Values.Length, actual.Length);
        for (int i = 0; i < actual.Length; i++) Assert.True(Math.Abs(actual[i] - expected.Values[i]) <= 1e-12 * scale, $"element {i}: {actual[i]} for {expected.Values[i]}");
    }

    /// <summary>λ = 0: the layer gives what the frozen one gives, to the last bit, packed or not, on every SIMD path.</summary>
    [Property(MaxTest = 100)]
    public void AtInitialisationTheLayerIsTheFrozenOneBitForBit(CaseSource source)
    {
        using var scope = new TensorScope();
        (int rows, int inputs, int outputs, int k, int r) = (source.WideExtent(), source.WideExtent(), source.WideExtent(), source.Extent(8), source.Extent(8));
        Tensor x = Single(source.Values([rows, inputs], requiresGrad: false));
        Tensor weight = Single(source.Values([outputs, inputs], requiresGrad: false));
        Tensor? bias = source.Flag() ? Single(source.Values([outputs], requiresGrad: false)) : null;
        LoRA2Factors drawn = Factors(source, inputs, outputs, k, r);
        var factors = new LoRA2Factors(Single(drawn.OuterLeft), Single(drawn.InnerLeft), Tensor.Zeros([r]), Single(drawn.InnerRight), Single(drawn.OuterRight));
        if (source.Flag()) weight.Freeze();
        try
        {
            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
            {
                SimdPaths.Forced = path;
                Span<float> frozen = Ops.Linear(x, weight, bias).AsSpan<float>();
                Span<float> adapted = Ops.LoRA2Linear(x, weight, bias, factors, 2).AsSpan<float>();
                Assert.True(MemoryMarshal.AsBytes(frozen).SequenceEqual(MemoryMarshal.AsBytes(adapted)), $"{path}, {x.Description} {weight.Description}, k {k}, r {r}");
            }
        }
        finally
        {
            SimdPaths.Forced = null;
        }
    }

    [Property(MaxTest = 50)]
    public void ParameterCountIsTheFormulas(CaseSource source)
    {
        using var scope = new TensorScope();
        (int inputs, int outputs, int k, int r) = (source.Extent(), source.Extent(), source.Extent(8), source.Extent(8));
        Assert.Equal((k * (inputs + outputs)) + (2 * k * r) + r, Factors(source, inputs, outputs, k, r).ParameterCount);
    }

    /// <summary>METHODS.md's table: DeBERTa-v3-base, 12 layers, width 768, feed-forward 3072, r = 8.</summary>
    [Theory]
    [InlineData(2, 1, 37_440)]
    [InlineData(3, 1, 56_160)]
    [InlineData(6, 1, 167_616)]
    [InlineData(6, 8, 1_336_896)]
    public void ParameterCountsOfDebertaBase(int matrices, int k, int expected)
    {
        using var scope = new TensorScope();
        (int Inputs, int Outputs)[] all = [(768, 768), (768, 768), (768, 768), (768, 768), (768, 3072), (3072, 768)];
        var source = new CaseSource(1);
        Assert.Equal(expected, 12 * all.Take(matrices).Sum(matrix => Factors(source, matrix.Inputs, matrix.Outputs, k, 8).ParameterCount));
    }

    internal static LoRA2Factors Factors(CaseSource source, int inputs, int outputs, int k, int r) => new(
        source.Values([inputs, k], requiresGrad: false),
        source.Values([k, r], requiresGrad: false),
        source.Values([r], requiresGrad: false),
        source.Values([r, k], requiresGrad: false),
        source.Values([k, outputs], requiresGrad: false));

    private static Tensor Single(Tensor x) => x.To(DType.Float32);
}
