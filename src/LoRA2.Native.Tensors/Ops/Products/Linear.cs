using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>The linear layer.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b: x is [.., in], W is [out, in] as PyTorch keeps it, b is [out] or null, y is [.., out]. x is saved only for a trainable W; if it
    /// is an activation's result, the activation's argument is, which is kept in any case, and the activation is computed again.
    /// </summary>
    /// <param name="x">[.., in].</param>
    /// <param name="weight">[out, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="activation">What y goes through: as <see cref="Activate(Tensor, Activation)"/> of this layer, but written in the same pass.</param>
    /// <exception cref="ArgumentException">Shapes or types don't fit.</exception>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, Activation activation = Activation.None)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        Shape shape = LinearShape("Linear", x, weight, bias);
        x = Contiguous(x);
        weight = Contiguous(weight);
        bias = bias is null ? null : Contiguous(bias);
        Tensor y = Tensor.Empty(shape, x.DType, x.Device);
        bool records = Tape.Records(x, weight, bias);
        Tensor? activated = RoomForActivated(y, activation, records);
        x.Device.Kernels.MatMul(x, false, weight, true, y, epilogue: new Epilogue(bias, Activated: activated, Activation: activation), precision: weight.Precision);
        if (records) Tape.Record(LinearNode.Of(x, weight, bias), y);
        return Activated(y, activated, activation);
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
        private Tensor? argument;
        private Activation activation;
        private Tensor? recomputed;

        protected void Set(Tensor x, Tensor weight, Tensor? bias, bool needsInput)
        {
            X = x;
            argument = null;
            recomputed = null;
            if (needsInput || weight.RequiresGrad)
            {
                if (x.Producer is ActivationNode producer) (argument, activation) = (Save(producer.Input), producer.Activation);
                else Save(x);
            }

            Weight = x.RequiresGrad ? Save(weight) : weight;
            Bias = bias;
        }

        protected Tensor X { get; private set; } = null!;

        /// <summary>x with its values.</summary>
        protected Tensor Input
        {
            get
            {
                if (argument is null) return X;
                if (recomputed is not null) return recomputed;
                recomputed = Tensor.Empty(X.Shape, X.DType, X.Device);
                X.Device.Kernels.Activate(activation, argument, recomputed);
                return recomputed;
            }
        }

        /// <summary>x by ops: where its argument was saved in its place, its activation.</summary>
        protected Tensor RecordedInput() => argument is null ? X : Activate(argument, activation);

        protected Tensor Weight { get; private set; } = null!;

        protected Tensor? Bias { get; private set; }

        protected void AccumulateWeightAndBias(Tensor gradient)
        {
            if (Weight.RequiresGrad) AccumulateProduct(Weight, gradient, true, Input, false, 1, Weight.Precision);
            AccumulateSum(Bias, gradient);
        }

        /// <summary>dx = dy W + scale · left · right.</summary>
        protected void AccumulateInput(Tensor gradient, Epilogue update = default)
        {
            if (!X.RequiresGrad) return;
            Tensor? sum = GradientToAddTo(X);
            Tensor dx = sum ?? Tensor.Empty(X.Shape, X.DType, X.Device);
            gradient.Device.Kernels.MatMul(gradient, false, Weight, false, dx, beta: sum is null ? 0 : 1, epilogue: update, precision: Weight.Precision);
            if (sum is null) Accumulate(X, dx);
        }
    }

    private sealed class LinearNode : LinearNodeBase
    {
        public static LinearNode Of(Tensor x, Tensor weight, Tensor? bias)
        {
            LinearNode node = Take<LinearNode>();
            node.Set(x, weight, bias, needsInput: false);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            AccumulateWeightAndBias(gradient);
            AccumulateInput(gradient);
        }

        protected internal override void RecordedBackward(Tensor gradient)
        {
            Tensor rows = Reshape(gradient, gradient.Shape.Rows, gradient.Shape.Columns);
            if (X.RequiresGrad) Accumulate(X, Reshape(MatMul(rows, Weight), X.Shape.Extents));
            if (Weight.RequiresGrad) Accumulate(Weight, MatMul(rows, Reshape(RecordedInput(), rows.Shape[0], X.Shape.Columns), transposeA: true));
            if (Bias is { RequiresGrad: true }) Accumulate(Bias, SumTo(rows, Bias.Shape));
        }
    }
}
