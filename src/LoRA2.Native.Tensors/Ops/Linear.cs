namespace LoRA2.Native.Tensors;

/// <content>The linear layer.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b: x is [.., in], W is [out, in] as PyTorch keeps it, b is [out] or null, y is [.., out]. x is saved only for a trainable W.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types don't fit.</exception>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null)
    {
        Shape shape = LinearShape("Linear", x, weight, bias);
        x = Contiguous(x);
        weight = Contiguous(weight);
        bias = bias is null ? null : Contiguous(bias);
        Tensor y = Tensor.Empty(shape, x.DType);
        x.Device.Kernels.MatMul(x, false, weight, true, y, epilogue: new Epilogue(bias), precision: weight.Precision);
        return Tape.Records(x, weight, bias) ? Tape.Record(new LinearNode(x, weight, bias), y) : y;
    }

    private static Shape LinearShape(string op, Tensor x, Tensor weight, Tensor? bias)
    {
        RequireSameType(op, x, IsRounded(weight) ? null : weight, bias);
        if (weight.Shape.Rank != 2 || x.Shape.Rank == 0 || x.Shape.Columns != weight.Shape[1])
            throw new ArgumentException($"{op}: x of shape {x.Shape} does not fit a weight of shape {weight.Shape} ([out, in])");
        if (bias is not null && bias.Shape != [weight.Shape[0]]) throw new ArgumentException($"{op}: a bias of shape {bias.Shape} does not fit a weight of shape {weight.Shape}");
        return x.Shape.With(x.Shape.Rank - 1, weight.Shape[0]);
    }

    /// <summary>Whether a weight is kept as its products round it.</summary>
    private static bool IsRounded(Tensor weight) => weight is { DType: DType.BFloat16, Precision: Precision.BFloat16, IsConstant: true };

    /// <summary>The gradients of x Wᵀ + b with respect to W and b.</summary>
    private abstract class LinearNodeBase : Node
    {
        protected LinearNodeBase(Tensor x, Tensor weight, Tensor? bias, bool needsInput)
        {
            X = needsInput || weight.RequiresGrad ? Save(x) : x;
            Weight = x.RequiresGrad ? Save(weight) : weight;
            Bias = bias;
        }

        protected Tensor X { get; }

        protected Tensor Weight { get; }

        protected Tensor? Bias { get; }

        protected void AccumulateWeightAndBias(Tensor gradient)
        {
            Kernels kernels = gradient.Device.Kernels;
            if (WantedGradient(Weight) is { } dweight)
            {
                kernels.MatMul(gradient, true, X, false, dweight, precision: Weight.Precision);
                Accumulate(Weight, dweight);
            }

            if (WantedGradient(Bias) is { } dbias)
            {
                kernels.SumRows(gradient, dbias);
                Accumulate(Bias!, dbias);
            }
        }

        /// <summary>dx = dy W + scale · left · right.</summary>
        protected void AccumulateInput(Tensor gradient, Epilogue update = default)
        {
            if (WantedGradient(X) is not { } dx) return;
            gradient.Device.Kernels.MatMul(gradient, false, Weight, false, dx, epilogue: update, precision: Weight.Precision);
            Accumulate(X, dx);
        }
    }

    private sealed class LinearNode(Tensor x, Tensor weight, Tensor? bias) : LinearNodeBase(x, weight, bias, needsInput: false)
    {
        protected internal override void Backward(Tensor gradient)
        {
            AccumulateWeightAndBias(gradient);
            AccumulateInput(gradient);
        }
    }
}
