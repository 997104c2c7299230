using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Activation functions.</content>
public static partial class Ops
{
    /// <summary>f(x), element by element; x itself for <see cref="Activation.None"/>. The gradient reads x.</summary>
    public static Tensor Activate(Tensor x, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(x);
        return activation == Activation.None ? x : Activate(nameof(Activate), x, activation);
    }

    /// <summary>y = x Φ(x), element by element: the exact form, with erf (arXiv 1606.08415).</summary>
    public static Tensor Gelu(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Activate(nameof(Gelu), x, Activation.Gelu);
    }

    /// <summary>y = max(x, 0), element by element. The gradient at 0 is 0.</summary>
    public static Tensor Relu(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Activate(nameof(Relu), x, Activation.Relu);
    }

    /// <summary>y = tanh x, element by element.</summary>
    public static Tensor Tanh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Activate(nameof(Tanh), x, Activation.Tanh);
    }

    /// <summary>y = x / (1 + e^−x), element by element: also called swish.</summary>
    public static Tensor Silu(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Activate(nameof(Silu), x, Activation.Silu);
    }

    /// <summary>y = x tanh(ln(1 + e^x)), element by element (arXiv 1908.08681).</summary>
    public static Tensor Mish(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Activate(nameof(Mish), x, Activation.Mish);
    }

    /// <summary>
    /// ln(1 + e^(β x)) / β, element by element, and x itself where β x is above <paramref name="threshold"/> (Dugas et al., "Incorporating second-order functional knowledge for better
    /// option pricing", 2001).
    /// </summary>
    public static Tensor Softplus(Tensor x, double beta = 1, double threshold = 20) => Function(new UnaryFunction(UnaryKind.Softplus, beta, threshold), x);

    /// <summary>x above 0, α (e^x − 1) elsewhere, element by element (arXiv 1511.07289). The gradient at 0 is α.</summary>
    public static Tensor Elu(Tensor x, double alpha = 1) => Function(new UnaryFunction(UnaryKind.Elu, alpha, 1), x);

    /// <summary>λ x above 0, λ α (e^x − 1) elsewhere, with the λ and α that keep mean 0 and variance 1 (arXiv 1706.02515).</summary>
    public static Tensor Selu(Tensor x) => Function(new UnaryFunction(UnaryKind.Elu, 1.6732632423543772848170429916717 * 1.0507009873554804934193349852946, 1.0507009873554804934193349852946), x);

    /// <summary>x above 0, <paramref name="slope"/> · x elsewhere, element by element. The gradient at 0 is the slope.</summary>
    public static Tensor LeakyRelu(Tensor x, double slope = 0.01) => Function(new UnaryFunction(UnaryKind.LeakyRelu, slope), x);

    /// <summary>min(max(x, least), most), element by element. The gradient on the bounds is 0.</summary>
    public static Tensor HardTanh(Tensor x, double least = -1, double most = 1)
    {
        Tensor y = Unrecorded(() => Clamp(x, least, most));
        return Tape.Records(x) ? Tape.Record(new HardTanhNode(x, least, most), y) : y;
    }

    /// <summary>x min(max(x + 3, 0), 6) / 6, element by element (arXiv 1905.02244).</summary>
    public static Tensor HardSwish(Tensor x) => Function(UnaryKind.HardSwish, x);

    private static Tensor Unrecorded(Func<Tensor> ops) => Tape.Unrecorded(ops);

    private static Tensor Activate(string op, Tensor x, Activation activation)
    {
        x = Operand(op, x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Activate(activation, x, y);
        return Tape.Records(x) ? Tape.Record(ActivationNode.Of(x, activation), y) : y;
    }

    /// <summary>Where a layer's product writes the activation of its result y: over y, unless a gradient wants y too.</summary>
    private static Tensor? RoomForActivated(Tensor y, Activation activation, bool records) =>
        activation == Activation.None ? null : records ? Tensor.Empty(y.Shape, y.DType, y.Device) : y;

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

        protected internal override void RecordedBackward(Tensor gradient) => Accumulate(Input, Multiply(gradient, ActivationDerivative(Activation, Input)));
    }

    /// <summary>f′(x) by ops, for second derivatives.</summary>
    private static Tensor ActivationDerivative(Activation activation, Tensor x)
    {
        switch (activation)
        {
            case Activation.Gelu:
                return Add(Scale(Erfc(Scale(x, -Math.Sqrt(0.5))), 0.5), Multiply(x, Scale(Exp(Scale(Square(x), -0.5)), 1 / Math.Sqrt(2 * Math.PI))));
            case Activation.Relu:
                return Cast(Greater(x, 0), x.DType);
            case Activation.Tanh:
                return Subtract(1, Square(Tanh(x)));
            case Activation.GeluTanh:
                double root = Math.Sqrt(2 / Math.PI);
                Tensor t = Tanh(Scale(Add(x, Scale(Power(x, 3), 0.044715)), root));
                Tensor inner = Scale(Add(Scale(Square(x), 3 * 0.044715), 1), root);
                return Scale(Add(Add(t, 1), Multiply(x, Multiply(Subtract(1, Square(t)), inner))), 0.5);
            case Activation.QuickGelu:
                Tensor gate = Sigmoid(Scale(x, 1.702));
                return Multiply(gate, Add(Scale(Multiply(x, Subtract(1, gate)), 1.702), 1));
            case Activation.Mish:
                Tensor th = Tanh(Softplus(x));
                return Add(th, Multiply(Multiply(x, Sigmoid(x)), Subtract(1, Square(th))));
            default:
                Tensor s = Sigmoid(x);
                return Multiply(s, Add(Multiply(x, Subtract(1, s)), 1));
        }
    }

    private sealed class HardTanhNode : OpNode
    {
        private readonly Tensor x;
        private readonly double least;
        private readonly double most;

        public HardTanhNode(Tensor x, double least, double most)
        {
            this.x = Save(x);
            (this.least, this.most) = (least, most);
        }

        protected internal override void Backward(Tensor gradient) =>
            Accumulate(x, Where(LogicalOr(LessOrEqual(x, least), GreaterOrEqual(x, most)), 0, gradient));
    }
}
