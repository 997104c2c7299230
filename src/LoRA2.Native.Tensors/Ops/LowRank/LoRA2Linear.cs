using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tensors;

/// <content>LoRA2's linear layer.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b + s (x (u M)) 𝒱 with M = v diag(λ) 𝒰 (LoRA2, arXiv 2408.06854, equations 3 and 4, collapsed): x [.., in], W [out, in],
    /// u [in, k], v [k, r], λ [r], 𝒰 [r, k], 𝒱 [k, out]. M is k × k and u M is made once a step, O(in k²): from there on the layer is a LoRA layer of
    /// rank k, forward and backward, whatever r is. Neither Δ = u v Λ 𝒰 𝒱 nor P = u v nor Q = 𝒰 𝒱 is ever formed. With λ = 0 the result is W's
    /// alone, bit for bit. With <paramref name="activation"/> the result is activation(y), as of <see cref="Linear"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types don't fit.</exception>
    public static Tensor LoRA2Linear(Tensor x, Tensor weight, Tensor? bias, LoRA2Factors factors, double scale, Activation activation = Activation.None)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(factors);
        Shape shape = LinearShape("LoRA2Linear", x, weight, bias);
        factors.Require(weight.Shape[1], weight.Shape[0]);
        RequireSameType("LoRA2Linear", x, factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, factors.OuterRight);
        x = Contiguous(x);
        weight = Contiguous(weight);
        bias = bias is null ? null : Contiguous(bias);
        factors = factors.InOrder();
        Kernels kernels = x.Device.Kernels;
        int k = factors.OuterRank;
        Tensor middle = Tensor.Empty([k, k], x.DType, x.Device);
        Tensor folded = Tensor.Empty(factors.OuterLeft.Shape, x.DType, x.Device);
        kernels.LoRA2Fold(factors, middle, folded);
        Tensor t = Tensor.Empty([x.Shape.Rows, k], x.DType, x.Device);
        Tensor y = Tensor.Empty(shape, x.DType, x.Device);
        bool records = Tape.Records(x, weight, bias, factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, factors.OuterRight);
        Tensor? activated = RoomForActivated(y, activation, records);
        var epilogue = new Epilogue(bias, t, factors.OuterRight, scale, Activated: activated, Activation: activation, Down: folded);
        kernels.MatMul(x, false, weight, true, y, epilogue: epilogue, precision: weight.Precision);
        if (records) Tape.Record(LoRA2LinearNode.Of(x, weight, bias, factors, middle, folded, t, scale), y);
        return Activated(y, activated, activation);
    }

    private sealed class LoRA2LinearNode : LinearNodeBase
    {
        private LoRA2Factors factors = null!;
        private Tensor middle = null!;
        private Tensor folded = null!;
        private Tensor t = null!;
        private double scale;

        public static LoRA2LinearNode Of(Tensor x, Tensor weight, Tensor? bias, LoRA2Factors factors, Tensor middle, Tensor folded, Tensor t, double scale)
        {
            LoRA2LinearNode node = Take<LoRA2LinearNode>();
            node.Set(x, weight, bias, needsInput: TrainsFolded(factors));
            node.factors = factors;
            node.middle = node.Save(middle);
            node.folded = node.Save(folded);
            node.t = node.Save(t);
            node.scale = scale;
            node.Save(factors.OuterLeft);
            node.Save(factors.InnerLeft);
            node.Save(factors.SingularValues);
            node.Save(factors.InnerRight);
            node.Save(factors.OuterRight);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            AccumulateProduct(factors.OuterRight, t, true, gradient, false, scale);
            Tensor h = Tensor.Empty(t.Shape, gradient.DType, gradient.Device);
            if (X.RequiresGrad) AccumulateInput(gradient, new Epilogue(null, h, folded, scale, RightTransposed: true, Down: factors.OuterRight, DownTransposed: true));
            else gradient.Device.Kernels.MatMul(gradient, false, factors.OuterRight, true, h);
            if (TrainsFolded(factors)) AccumulateFolded(h);
            AccumulateWeightAndBias(gradient);
        }

        private static bool TrainsFolded(LoRA2Factors factors) =>
            factors.OuterLeft.RequiresGrad || factors.InnerLeft.RequiresGrad || factors.SingularValues.RequiresGrad || factors.InnerRight.RequiresGrad;

        /// <summary>Through u M, whose gradient is s xᵀ h.</summary>
        private void AccumulateFolded(Tensor h)
        {
            bool adds = HasGradient(factors.OuterLeft) && HasGradient(factors.InnerLeft) && HasGradient(factors.SingularValues) && HasGradient(factors.InnerRight);
            Tensor? Gradient(Tensor factor) => adds ? GradientToAddTo(factor) : WantedGradient(factor);
            Tensor? douterLeft = Gradient(factors.OuterLeft), dinnerLeft = Gradient(factors.InnerLeft), dvalues = Gradient(factors.SingularValues), dinnerRight = Gradient(factors.InnerRight);
            h.Device.Kernels.LoRA2FoldBackward(factors, middle, Input, h, scale, douterLeft, dinnerLeft, dvalues, dinnerRight, adds);
            if (adds) return;
            if (douterLeft is not null) Accumulate(factors.OuterLeft, douterLeft);
            if (dinnerLeft is not null) Accumulate(factors.InnerLeft, dinnerLeft);
            if (dvalues is not null) Accumulate(factors.SingularValues, dvalues);
            if (dinnerRight is not null) Accumulate(factors.InnerRight, dinnerRight);
        }

        /// <summary>Whether a factor wants no gradient, or has one to add to.</summary>
        private static bool HasGradient(Tensor factor) => !factor.RequiresGrad || GradientToAddTo(factor) is not null;
    }
}
