using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Softmax along any axis, and its logarithm.</content>
public static partial class Ops
{
    /// <summary>The softmax along an axis. A line of −∞ alone has none: it is NaN.</summary>
    public static Tensor Softmax(Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        return AlongLast(x, axis, Softmax);
    }

    /// <summary>ln of the softmax along an axis, without overflow. The gradient reads the result.</summary>
    public static Tensor LogSoftmax(Tensor x, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return AlongLast(x, axis, LogSoftmaxOfRows);
    }

    private static Tensor LogSoftmaxOfRows(Tensor x)
    {
        x = Operand("LogSoftmax", x);
        Tensor y = x.Count == 0 ? Tensor.Empty(x.Shape, x.DType, x.Device) : Unrecorded(() =>
        {
            Tensor off = Subtract(x, Reduced(ReduceKind.Max, x, [-1]));
            return Subtract(off, Log(Sum(Exp(off), [-1], keepDims: true)));
        });
        return Tape.Records(x) ? Tape.Record(LogSoftmaxNode.Of(x, y), y) : y;
    }

    /// <summary>A function of rows applied along any axis.</summary>
    private static Tensor AlongLast(Tensor x, int axis, Func<Tensor, Tensor> rows)
    {
        if (x.Shape.Rank == 0) return Reshape(rows(Reshape(x, 1)));
        axis = x.Shape.Axis(axis);
        return axis == x.Shape.Rank - 1 ? rows(x) : MoveAxis(rows(MoveAxis(x, axis, -1)), -1, axis);
    }

    private sealed class LogSoftmaxNode : OpNode
    {
        private Tensor x = null!;
        private Tensor y = null!;

        public static LogSoftmaxNode Of(Tensor x, Tensor y)
        {
            LogSoftmaxNode node = Take<LogSoftmaxNode>();
            node.x = x;
            node.y = node.Save(y);
            return node;
        }

        protected internal override void Backward(Tensor gradient) =>
            Accumulate(x, Subtract(gradient, Multiply(Exp(y), Sum(gradient, [-1], keepDims: true))));
    }
}
