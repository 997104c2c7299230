using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders;

/// <summary>A linear layer of an encoder or head, with the adapter that was put on it.</summary>
public sealed class LinearLayer
{
    internal LinearLayer(string name, Parameter weight, Parameter bias)
    {
        Name = name;
        Weight = weight;
        Bias = bias;
    }

    /// <summary>The module's name, as HuggingFace has it.</summary>
    public string Name { get; }

    /// <summary>[out, in].</summary>
    public Parameter Weight { get; }

    /// <summary>[out].</summary>
    public Parameter Bias { get; }

    /// <summary>The adapter, or null.</summary>
    public Adapter? Adapter { get; internal set; }

    /// <summary>Number of inputs.</summary>
    public int Inputs => Weight.Value.Shape[1];

    /// <summary>Number of outputs.</summary>
    public int Outputs => Weight.Value.Shape[0];

    /// <summary>gelu of <see cref="Forward"/>, in one pass over it.</summary>
    public Tensor ForwardGelu(Tensor x) => Adapter is null ? Ops.Linear(x, Weight.Value, Bias.Value, gelu: true) : Adapter.ForwardGelu(x, Weight.Value, Bias.Value);

    /// <summary>[.., in] → [.., out].</summary>
    public Tensor Forward(Tensor x) => Adapter is null ? Ops.Linear(x, Weight.Value, Bias.Value) : Adapter.Forward(x, Weight.Value, Bias.Value);
}
