using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors;

/// <content>Layer normalisation of a residual sum.</content>
public static partial class Ops
{
    /// <summary>
    /// LayerNorm(residual + Dropout(x)), what closes each half of a post-norm transformer layer (arXiv 1706.03762, section 5.4), in one pass
    /// forward and one backward: x and residual are [.., width], gain and bias [width]. The gradient reads the sum and two numbers a row, and draws
    /// the same dropout mask again.
    /// </summary>
    /// <exception cref="ArgumentException">The residual is not of x's shape, gain or bias not of its width, or the dropout's rows are not x's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The dropout's probability is not in [0, 1).</exception>
    public static Tensor AddLayerNorm(Tensor x, Tensor residual, Tensor gain, Tensor bias, double epsilon, DropoutMask dropout = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(residual);
        ArgumentNullException.ThrowIfNull(gain);
        ArgumentNullException.ThrowIfNull(bias);
        RequireSameType("AddLayerNorm", x, residual, gain, bias);
        RequireMask("AddLayerNorm", dropout, x);
        Shape width = [x.Shape.Columns];
        if (residual.Shape != x.Shape) throw new ArgumentException($"AddLayerNorm: residual {residual.Shape} must be of x's shape {x.Shape}");
        if (gain.Shape != width || bias.Shape != width)
            throw new ArgumentException($"AddLayerNorm: gain {gain.Shape} and bias {bias.Shape} must both be {width} for x {x.Shape}");
        x = Contiguous(x);
        residual = Contiguous(residual);
        gain = Contiguous(gain);
        bias = Contiguous(bias);
        Tensor sum = Tensor.Empty(x.Shape, x.DType, x.Device);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        Tensor mean = Tensor.Empty([x.Shape.Rows], x.DType, x.Device);
        Tensor rstd = Tensor.Empty([x.Shape.Rows], x.DType, x.Device);
        x.Device.Kernels.AddLayerNorm(x, dropout, residual, gain, bias, epsilon, sum, y, mean, rstd);
        return Tape.Records(x, residual, gain, bias) ? Tape.Record(AddLayerNormNode.Of(x, residual, gain, bias, dropout, sum, mean, rstd), y) : y;
    }

    private sealed class AddLayerNormNode : Node
    {
        private Tensor x = null!;
        private Tensor residual = null!;
        private Tensor gain = null!;
        private Tensor bias = null!;
        private DropoutMask dropout;
        private Tensor sum = null!;
        private Tensor mean = null!;
        private Tensor rstd = null!;

        public static AddLayerNormNode Of(Tensor x, Tensor residual, Tensor gain, Tensor bias, DropoutMask dropout, Tensor sum, Tensor mean, Tensor rstd)
        {
            AddLayerNormNode node = Take<AddLayerNormNode>();
            (node.x, node.residual, node.bias, node.dropout) = (x, residual, bias, dropout);
            node.gain = node.Save(gain);
            node.sum = node.Save(sum);
            node.mean = node.Save(mean);
            node.rstd = node.Save(rstd);
            node.Save(dropout.Rows);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            // Without dropout both summands have one gradient.
            bool one = dropout.Probability == 0;
            Tensor? dresidual = WantedGradient(residual) ?? (one ? WantedGradient(x) : null);
            Tensor? dx = one ? null : WantedGradient(x);
            Tensor? dgain = WantedGradient(gain);
            Tensor? dbias = WantedGradient(bias);
            sum.Device.Kernels.AddLayerNormBackward(sum, dropout, gain, mean, rstd, gradient, dx, dresidual, dgain, dbias);
            if (x.RequiresGrad) Accumulate(x, dx ?? dresidual!);
            if (residual.RequiresGrad) Accumulate(residual, dresidual!);
            if (dgain is not null) Accumulate(gain, dgain);
            if (dbias is not null) Accumulate(bias, dbias);
        }
    }
}
