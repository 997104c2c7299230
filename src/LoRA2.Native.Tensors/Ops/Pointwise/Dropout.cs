using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors;

/// <content>Dropout.</content>
public static partial class Ops
{
    /// <summary>
    /// Inverted dropout: 0 where <paramref name="mask"/> drops, x / (1 − p) elsewhere; x itself (in order) when p is 0. Nothing is saved: the gradient draws
    /// the same mask again.
    /// </summary>
    /// <exception cref="ArgumentException">The mask's rows are not x's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not in [0, 1).</exception>
    public static Tensor Dropout(Tensor x, DropoutMask mask)
    {
        ArgumentNullException.ThrowIfNull(x);
        x = Operand("Dropout", x);
        RequireMask("Dropout", mask, x);
        if (mask.Probability == 0) return x;
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Dropout(x, mask, y);
        return Tape.Records(x) ? Tape.Record(DropoutNode.Of(x, mask), y) : y;
    }

    private static void RequireMask(string op, DropoutMask mask, Tensor x)
    {
        if (mask.Probability is not (>= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(mask), mask.Probability, $"{op}: the probability must be in [0, 1)");
        if (mask.Rows is { } rows && (rows.DType != DType.Int64 || rows.Shape != [x.Shape.Rows] || !rows.IsContiguous))
            throw new ArgumentException($"{op}: the mask's rows are {rows.Description}; a contiguous Int64 [{x.Shape.Rows}] is needed");
    }

    private sealed class DropoutNode : Node
    {
        private Tensor x = null!;
        private DropoutMask mask;

        public static DropoutNode Of(Tensor x, DropoutMask mask)
        {
            DropoutNode node = Take<DropoutNode>();
            (node.x, node.mask) = (x, mask);
            node.Save(mask.Rows);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.Dropout(gradient, mask, dx);
            Accumulate(x, dx);
        }

        protected internal override void RecordedBackward(Tensor gradient) => Accumulate(x, Dropout(gradient, mask));
    }
}
