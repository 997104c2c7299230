using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders;

/// <summary>A linear layer of an encoder or head, with the adapter that was put on it.</summary>
public sealed class LinearLayer
{
    internal LinearLayer(string name, Parameter weight, Parameter? bias)
    {
        Name = name;
        Weight = weight;
        Bias = bias;
    }

    /// <summary>The module's name, as HuggingFace has it.</summary>
    public string Name { get; }

    /// <summary>[out, in].</summary>
    public Parameter Weight { get; }

    /// <summary>[out], or null for a layer without.</summary>
    public Parameter? Bias { get; }

    /// <summary>Weight, and bias where there is one.</summary>
    public IEnumerable<Parameter> Parameters => Bias is null ? [Weight] : [Weight, Bias];

    /// <summary>The adapter, or null.</summary>
    public ILayerAdapter? Adapter { get; internal set; }

    /// <summary>Its place among the encoder's layers that adapters can be put on; −1 for one that is none of them.</summary>
    internal int Place { get; set; } = -1;

    /// <summary>Number of inputs.</summary>
    public int Inputs => Weight.Value.Shape[1];

    /// <summary>Number of outputs.</summary>
    public int Outputs => Weight.Value.Shape[0];

    /// <summary>
    /// activation(x Wᵀ + b), with the adapter's update, in one pass over it: [.., in] → [.., out]. In a pass whose rows have adapters of their own
    /// each row of the batch, which is x's first axis then, gets its own.
    /// </summary>
    /// <param name="x">[.., in].</param>
    /// <param name="context">The pass.</param>
    /// <param name="activation">What the result goes through.</param>
    public Tensor Forward(Tensor x, ForwardContext context, Activation activation = Activation.None)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Rows is { } rows && Place >= 0) return rows.Forward(this, x, activation);
        return Adapter is null ? Ops.Linear(x, Weight.Value, Bias?.Value, activation) : Adapter.Forward(x, Weight.Value, Bias?.Value, activation);
    }
}
