using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>A convolution in one or two dimensions: weight [out, in / groups, size …], bias [out].</summary>
public sealed class Conv : Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly ConvolutionSteps steps;
    private readonly int groups;

    /// <summary>Starts uniform within 1/√(fan in), as PyTorch's. <paramref name="size"/> has one number an axis: one or two.</summary>
    public Conv(int inputs, int outputs, IReadOnlyList<int> size, ParameterRandom random, ConvolutionSteps steps = default, int groups = 1, bool bias = true, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(size);
        ArgumentNullException.ThrowIfNull(random);
        if (size.Count is not (1 or 2)) throw new ArgumentException($"Conv: {size.Count} dimensions were given; 1 or 2 are there");
        (this.steps, this.groups) = (steps, groups);
        Shape shape = new([outputs, inputs / groups, .. size]);
        double bound = 1 / Math.Sqrt(shape.Elements / Math.Max(outputs, 1));
        weight = AddParameter("weight", Initializers.Uniform(Tensor.Empty(shape, dtype), random.Next(), -bound, bound));
        if (bias) this.bias = AddParameter("bias", Initializers.Uniform(Tensor.Empty([outputs], dtype), random.Next(), -bound, bound));
    }

    /// <summary>[batch, in, …] to [batch, out, …].</summary>
    public override Tensor Forward(Tensor x) => weight.Value.Shape.Rank == 3 ? Ops.Conv1d(x, weight.Value, bias?.Value, steps, groups) : Ops.Conv2d(x, weight.Value, bias?.Value, steps, groups);
}
