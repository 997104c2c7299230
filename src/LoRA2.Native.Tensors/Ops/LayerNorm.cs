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
        RequireSameType("LayerNorm", x, gain, bias);
        Shape width = [x.Shape.Columns];
        if (gain.Shape != width || bias.Shape != width)
            throw new ArgumentException($"LayerNorm: gain {gain.Shape} and bias {bias.Shape} must both be {width} for x {x.Shape}");
        x = Contiguous(x);
        gain = Contiguous(gain);
        bias = Contiguous(bias);
        Tensor y = Tensor.Empty(x.Shape, x.DType);
        Tensor mean = Tensor.Empty([x.Shape.Rows], x.DType);
        Tensor rstd = Tensor.Empty([x.Shape.Rows], x.DType);
        x.Device.Kernels.LayerNorm(x, gain, bias, epsilon, y, mean, rstd);
        return Tape.Records(x, gain, bias) ? Tape.Record(new LayerNormNode(x, gain, bias, mean, rstd), y) : y;
    }

    private sealed class LayerNormNode : Node
    {
        private readonly Tensor x;
        private readonly Tensor gain;
        private readonly Tensor bias;
        private readonly Tensor mean;
        private readonly Tensor rstd;

        public LayerNormNode(Tensor x, Tensor gain, Tensor bias, Tensor mean, Tensor rstd)
        {
            this.x = Save(x);
            this.gain = Save(gain);
            this.bias = bias;
            this.mean = Save(mean);
            this.rstd = Save(rstd);
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
    }

    private static Tensor? WantedGradient(Tensor? input) => input is { RequiresGrad: true } ? Tensor.Empty(input.Shape, input.DType) : null;
}
