using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Tensors;

/// <content>Joining tensors.</content>
public static partial class Ops
{
    /// <summary>The inputs one after the other along an axis. Their other extents and their types are the same.</summary>
    /// <exception cref="ArgumentException">There is no input, or shapes or types differ.</exception>
    public static Tensor Concat(int axis, params ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.IsEmpty) throw new ArgumentException("Concat: there is nothing to join");
        Tensor first = inputs[0];
        axis = first.Shape.Axis(axis);
        int length = 0;
        foreach (Tensor input in inputs)
        {
            if (input.DType != first.DType) throw new ArgumentException($"Concat: operands are {first.Description} and {input.Description}; they must be of one type");
            if (input.Shape.Rank != first.Shape.Rank || input.Shape.With(axis, 0) != first.Shape.With(axis, 0))
                throw new ArgumentException($"Concat: shapes {first.Shape} and {input.Shape} can't be joined along axis {axis}");
            length += input.Shape[axis];
        }

        Tensor y = Tensor.Zeros(first.Shape.With(axis, length), first.DType, first.Device);
        int start = 0;
        foreach (Tensor input in inputs)
        {
            Tensor part = y.View(y.Shape.With(axis, input.Shape[axis]), y.Strides, start * y.Strides[axis]);
            if (y.DType is DType.Float32 or DType.Float64) y.Device.Kernels.AccumulateInto(input.To(input.DType), part);
            else y.Device.Kernels.Place(input.To(input.DType), part);
            start += input.Shape[axis];
        }

        return Tape.Records(inputs!) ? Tape.Record(ConcatNode.Of(inputs, axis), y) : y;
    }

    private sealed class ConcatNode : OpNode
    {
        private readonly List<Tensor> inputs = [];
        private int axis;

        public static ConcatNode Of(ReadOnlySpan<Tensor> inputs, int axis)
        {
            ConcatNode node = Take<ConcatNode>();
            node.inputs.Clear();
            node.inputs.AddRange(inputs);
            node.axis = axis;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            int start = 0;
            foreach (Tensor input in inputs)
            {
                if (input.RequiresGrad) Accumulate(input, Slice(gradient, axis, start, input.Shape[axis]));
                start += input.Shape[axis];
            }
        }
    }
}
