using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Activation functions.</content>
public static partial class Ops
{
    /// <summary>f(x), element by element; x itself for <see cref="Activation.None"/>. The gradient reads x.</summary>
    public static Tensor Activate(Tensor x, Activation activation) => activation == Activation.None ? x : Activate(nameof(Activate), x, activation);

    /// <summary>y = x Φ(x), element by element: the exact form, with erf (arXiv 1606.08415).</summary>
    public static Tensor Gelu(Tensor x) => Activate(nameof(Gelu), x, Activation.Gelu);

    /// <summary>y = max(x, 0), element by element. The gradient at 0 is 0.</summary>
    public static Tensor Relu(Tensor x) => Activate(nameof(Relu), x, Activation.Relu);

    /// <summary>y = tanh x, element by element.</summary>
    public static Tensor Tanh(Tensor x) => Activate(nameof(Tanh), x, Activation.Tanh);

    /// <summary>y = x / (1 + e^−x), element by element: also called swish.</summary>
    public static Tensor Silu(Tensor x) => Activate(nameof(Silu), x, Activation.Silu);

    private static Tensor Activate(string op, Tensor x, Activation activation)
    {
        x = Operand(op, x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Activate(activation, x, y);
        return Tape.Records(x) ? Tape.Record(ActivationNode.Of(x, activation), y) : y;
    }

    /// <summary>What a layer returns whose product also wrote the activation of its result y: that, recorded as an op of its own; without it, y.</summary>
    private static Tensor Activated(Tensor y, Tensor? activated, Activation activation) =>
        activated is null ? y : Tape.Records(y) ? Tape.Record(ActivationNode.Of(y, activation), activated) : activated;

    private sealed class ActivationNode : Node
    {
        public Tensor Input { get; private set; } = null!;

        public Activation Activation { get; private set; }

        public static ActivationNode Of(Tensor x, Activation activation)
        {
            ActivationNode node = Take<ActivationNode>();
            node.Input = node.Save(x);
            node.Activation = activation;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(Input.Shape, Input.DType, Input.Device);
            Input.Device.Kernels.ActivateBackward(Activation, Input, gradient, dx);
            Accumulate(Input, dx);
        }
    }
}
