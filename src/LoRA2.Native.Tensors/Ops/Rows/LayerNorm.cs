using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors;

/// <content>Layer normalisation.</content>
public static partial class Ops
{
    /// <summary>
    /// (x − mean) / √(variance + ε) · gain + bias over the last axis (arXiv 1607.06450). gain and bias are [width]. The gradient reads x and two
    /// numbers a row.
    /// </summary>
    /// <exception cref="ArgumentException">gain or bias is not of x's width.</exception>
    public static Tensor LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(gain);
        ArgumentNullException.ThrowIfNull(bias);
        RequireSameType("LayerNorm", x, gain, bias);
        Shape width = [x.Shape.Columns];
        if (gain.Shape != width || bias.Shape != width)
            throw new ArgumentException($"LayerNorm: gain {gain.Shape} and bias {bias.Shape} must both be {width} for x {x.Shape}");
        x = Contiguous(x);
        gain = Contiguous(gain);
        bias = Contiguous(bias);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        Tensor mean = Tensor.Empty([x.Shape.Rows], x.DType, x.Device);
        Tensor rstd = Tensor.Empty([x.Shape.Rows], x.DType, x.Device);
        x.Device.Kernels.LayerNorm(x, gain, bias, epsilon, y, mean, rstd);
        return Tape.Records(x, gain, bias) ? Tape.Record(LayerNormNode.Of(x, gain, bias, mean, rstd, epsilon), y) : y;
    }

    private sealed class LayerNormNode : Node
    {
        private Tensor x = null!;
        private Tensor gain = null!;
        private Tensor bias = null!;
        private Tensor mean = null!;
        private Tensor rstd = null!;
        private double epsilon;

        public static LayerNormNode Of(Tensor x, Tensor gain, Tensor bias, Tensor mean, Tensor rstd, double epsilon)
        {
            LayerNormNode node = Take<LayerNormNode>();
            node.x = node.Save(x);
            node.gain = node.Save(gain);
            node.bias = bias;
            node.mean = node.Save(mean);
            node.rstd = node.Save(rstd);
            node.epsilon = epsilon;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor? dx = WantedGradient(x);
            Tensor? dgain = WantedGradient(gain);
            Tensor? dbias = WantedGradient(bias);
            x.Device.Kernels.LayerNormBackward(x, gain, mean, rstd, gradient, dx, dgain, dbias);
            if (dx is not null) Accumulate(x, dx);
            if (dgain is not null) Accumulate(gain, dgain);
            if (dbias is not null) Accumulate(bias, dbias);
        }

        protected internal override void RecordedBackward(Tensor gradient)
        {
            Tensor off = Subtract(x, Mean(x, [-1], keepDims: true));
            Tensor reciprocal = Rsqrt(Add(Mean(Square(off), [-1], keepDims: true), epsilon));
            Tensor normal = Multiply(off, reciprocal);
            Tensor d = Multiply(gradient, gain);
            Tensor along = Add(Mean(d, [-1], keepDims: true), Multiply(normal, Mean(Multiply(d, normal), [-1], keepDims: true)));
            Accumulate(x, Multiply(reciprocal, Subtract(d, along)));
            Accumulate(gain, SumTo(Multiply(gradient, normal), gain.Shape));
            Accumulate(bias, SumTo(gradient, bias.Shape));
        }
    }

    private static Tensor? WantedGradient(Tensor? input) => input is { RequiresGrad: true } ? Tensor.Empty(input.Shape, input.DType, input.Device) : null;
}
