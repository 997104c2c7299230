using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>The gradient of a convolution, and the convolution as ops over its windows.</content>
public static partial class Ops
{
    /// <summary>[groups, out / groups, in / groups · rows · columns].</summary>
    private static Tensor GroupedWeight(Tensor weight, int groups) => Reshape(weight, groups, weight.Shape[0] / groups, weight.Shape[1] * weight.Shape[2] * weight.Shape[3]);

    /// <summary>The windows of x [batch, in, height, width] as [batch, groups, in / groups · rows · columns, height' · width'].</summary>
    private static Tensor WindowMatrices(Tensor x, WindowPlan plan, int groups) =>
        Reshape(Permute(WindowsOf(x, plan), 0, 1, 4, 5, 2, 3), x.Shape[0], groups, x.Shape[1] / groups * plan.Size, plan.Count);

    /// <summary>The windows of the last two axes, zeros where they reach past them: [.., height', width', rows, columns].</summary>
    private static Tensor WindowsOf(Tensor x, WindowPlan plan)
    {
        (WindowAxis down, WindowAxis across) = (plan.Down, plan.Across);
        Tensor padded = Pad(x, [across.Before, After(across), down.Before, After(down)]);
        Tensor windows = Windows(Windows(padded, -2, Reach(down), down.Stride), -2, Reach(across), across.Stride);
        if (down.Dilation > 1) windows = Slice(windows, -2, 0, down.Size, down.Dilation);
        return across.Dilation > 1 ? Slice(windows, -1, 0, across.Size, across.Dilation) : windows;
    }

    /// <summary>The gradient of <see cref="WindowMatrices"/>, for x of a shape.</summary>
    private static Tensor FromWindowMatrices(Tensor matrices, WindowPlan plan, Shape shape)
    {
        (WindowAxis down, WindowAxis across) = (plan.Down, plan.Across);
        Tensor windows = Permute(Reshape(matrices, shape[0], shape[1], down.Size, across.Size, down.Count, across.Count), 0, 1, 4, 5, 2, 3);
        (int tall, int wide) = (Reach(down), Reach(across));
        windows = Placed(windows, windows.Shape.With(5, wide), new ViewSpec(ViewKind.Slice, 5, 0, 0, across.Size, across.Dilation));
        windows = Placed(windows, windows.Shape.With(4, tall), new ViewSpec(ViewKind.Slice, 4, 0, 0, down.Size, down.Dilation));
        int width = across.Length + across.Before + After(across), height = down.Length + down.Before + After(down);
        Tensor columns = Placed(windows, [shape[0], shape[1], down.Count, width, tall], new ViewSpec(ViewKind.Windows, 3, 0, 0, wide, across.Stride));
        Tensor padded = Placed(columns, [shape[0], shape[1], height, width], new ViewSpec(ViewKind.Windows, 2, 0, 0, tall, down.Stride));
        return Pad(padded, [-across.Before, -After(across), -down.Before, -After(down)]);
    }

    /// <summary>Positions from the first to the last that a window reads.</summary>
    private static int Reach(WindowAxis axis) => (axis.Dilation * (axis.Size - 1)) + 1;

    /// <summary>Positions to add after the axis, so that the last window has all it reads; negative ones are not read.</summary>
    private static int After(WindowAxis axis) => ((axis.Count - 1) * axis.Stride) + Reach(axis) - axis.Before - axis.Length;

    private sealed class ConvolutionNode : Node
    {
        private Tensor x = null!;
        private Tensor weight = null!;
        private Tensor? bias;
        private WindowPlan windows;
        private int groups;

        public static ConvolutionNode Of(Tensor x, Tensor weight, Tensor? bias, WindowPlan windows, int groups)
        {
            ConvolutionNode node = Take<ConvolutionNode>();
            (node.x, node.weight) = (weight.RequiresGrad ? node.Save(x) : x, x.RequiresGrad ? node.Save(weight) : weight);
            (node.bias, node.windows, node.groups) = (bias, windows, groups);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            Kernels kernels = gradient.Device.Kernels;
            if (bias is { RequiresGrad: true })
            {
                Tensor sums = Tensor.Empty([x.Shape[0], bias.Count], x.DType, x.Device);
                kernels.SumColumns(gradient.View([sums.Count, windows.Count]), sums);
                AccumulateSum(bias, sums);
            }

            if (weight.RequiresGrad)
            {
                Tensor? sum = GradientToAddTo(weight);
                Tensor dweight = sum ?? Tensor.Empty(weight.Shape, weight.DType, weight.Device);
                kernels.ConvolutionWeight(x, gradient, windows, groups, dweight, sum is not null);
                if (sum is null) Accumulate(weight, dweight);
            }

            if (!x.RequiresGrad) return;
            Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
            kernels.ConvolutionInput(weight, gradient, windows, groups, dx);
            Accumulate(x, dx);
        }

        protected internal override void RecordedBackward(Tensor gradient)
        {
            Tensor dy = Reshape(gradient, x.Shape[0], groups, weight.Shape[0] / groups, windows.Count);
            if (x.RequiresGrad) Accumulate(x, FromWindowMatrices(MatMul(GroupedWeight(weight, groups), dy, transposeA: true), windows, x.Shape));
            if (weight.RequiresGrad) Accumulate(weight, Reshape(Sum(MatMul(dy, WindowMatrices(x, windows, groups), transposeB: true), 0), weight.Shape.Extents));
            if (bias is { RequiresGrad: true }) Accumulate(bias, Reshape(SumTo(gradient, [bias.Count, 1, 1]), bias.Count));
        }
    }
}
