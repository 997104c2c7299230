using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Encoders;

/// <summary>Layer normalisation with its gain and bias.</summary>
/// <param name="Gain">[width].</param>
/// <param name="Bias">[width], or null for a norm without.</param>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record NormLayer(Parameter Gain, Parameter? Bias, double Epsilon)
{
    /// <summary>Gain, and bias where there is one.</summary>
    public IEnumerable<Parameter> Parameters => Bias is null ? [Gain] : [Gain, Bias];

    /// <summary>LN(x): [.., width] → [.., width].</summary>
    public Tensor Forward(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Ops.LayerNorm(x, Gain.Value, BiasFor(x), Epsilon);
    }

    /// <summary>LN(residual + dropout(x)).</summary>
    public Tensor Forward(Tensor x, DropoutMask dropout, Tensor residual)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(residual);
        return Ops.AddLayerNorm(x, residual, Gain.Value, BiasFor(x), Epsilon, dropout);
    }

    private Tensor BiasFor(Tensor x) => Bias?.Value ?? Tensor.Zeros(Gain.Value.Shape, x.DType, x.Device);
}
