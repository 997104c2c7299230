namespace LoRA2.Native.Tensors;

/// <content>LoRA2's linear layer.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b + s ((x u) M) 𝒱 with M = v diag(λ) 𝒰 (LoRA2, arXiv 2408.06854, equations 3 and 4, collapsed): x [.., in], W [out, in],
    /// u [in, k], v [k, r], λ [r], 𝒰 [r, k], 𝒱 [k, out]. M is k × k, so the layer costs what a LoRA layer of rank k costs, whatever r is; neither
    /// Δ = u v Λ 𝒰 𝒱 nor P = u v nor Q = 𝒰 𝒱 is ever formed. With λ = 0 the result is W's alone, bit for bit. With <paramref name="gelu"/> the
    /// result is gelu(y), as of <see cref="Linear"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types don't fit.</exception>
    public static Tensor LoRA2Linear(Tensor x, Tensor weight, Tensor? bias, LoRA2Factors factors, double scale, bool gelu = false)
    {
        Shape shape = LinearShape("LoRA2Linear", x, weight, bias);
        factors.Require(weight.Shape[1], weight.Shape[0]);
        RequireSameType("LoRA2Linear", x, factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, factors.OuterRight);
        x = Contiguous(x);
        weight = Contiguous(weight);
        bias = bias is null ? null : Contiguous(bias);
        factors = factors.InOrder();
        Kernels kernels = x.Device.Kernels;
        int k = factors.OuterRank;
        Tensor middle = LoRA2Middle(factors);
        Tensor t = Tensor.Empty([x.Shape.Rows, k], x.DType);
        kernels.MatMul(x, false, factors.OuterLeft, false, t);
        Tensor tm = Tensor.Empty(t.Shape, x.DType);
        kernels.MatMul(t, false, middle, false, tm);
        Tensor y = Tensor.Empty(shape, x.DType);
        Tensor? activated = gelu ? Tensor.Empty(shape, x.DType) : null;
        kernels.MatMul(x, false, weight, true, y, epilogue: new Epilogue(bias, tm, factors.OuterRight, scale, Activated: activated), precision: weight.Precision);
        if (Tape.Records(x, weight, bias, factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, factors.OuterRight))
            Tape.Record(LoRA2LinearNode.Of(x, weight, bias, factors, middle, t, scale), y);
        return Activated(y, activated);
    }

    /// <summary>M = v diag(λ) 𝒰, [k, k].</summary>
    internal static Tensor LoRA2Middle(LoRA2Factors factors)
    {
        Kernels kernels = factors.InnerLeft.Device.Kernels;
        Tensor scaled = Tensor.Empty(factors.InnerLeft.Shape, factors.InnerLeft.DType);
        kernels.Multiply(factors.InnerLeft, Materialise(factors.SingularValues, factors.InnerLeft.Shape), scaled);
        Tensor middle = Tensor.Empty([factors.OuterRank, factors.OuterRank], scaled.DType);
        kernels.MatMul(scaled, false, factors.InnerRight, false, middle);
        return middle;
    }

    private sealed class LoRA2LinearNode : LinearNodeBase
    {
        private LoRA2Factors factors = null!;
        private Tensor middle = null!;
        private Tensor t = null!;
        private double scale;

        public static LoRA2LinearNode Of(Tensor x, Tensor weight, Tensor? bias, LoRA2Factors factors, Tensor middle, Tensor t, double scale)
        {
            LoRA2LinearNode node = Take<LoRA2LinearNode>();
            node.Set(x, weight, bias, needsInput: factors.OuterLeft.RequiresGrad);
            node.factors = factors;
            node.middle = node.Save(middle);
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
            Kernels kernels = gradient.Device.Kernels;
            DType dtype = gradient.DType;
            Tensor h = Tensor.Empty(t.Shape, dtype);
            kernels.MatMul(gradient, false, factors.OuterRight, true, h);
            if (WantedGradient(factors.OuterRight) is { } douterRight)
            {
                Tensor tm = Tensor.Empty(t.Shape, dtype);
                kernels.MatMul(t, false, middle, false, tm);
                kernels.MatMul(tm, true, gradient, false, douterRight, scale);
                Accumulate(factors.OuterRight, douterRight);
            }

            Tensor hm = Tensor.Empty(t.Shape, dtype);
            kernels.MatMul(h, false, middle, true, hm);
            if (WantedGradient(factors.OuterLeft) is { } douterLeft)
            {
                kernels.MatMul(Input, true, hm, false, douterLeft, scale);
                Accumulate(factors.OuterLeft, douterLeft);
            }

            AccumulateInner(h);
            AccumulateWeightAndBias(gradient);
            AccumulateInput(gradient, new Epilogue(null, hm, factors.OuterLeft, scale, RightTransposed: true));
        }

        /// <summary>Through M, with G = ∂M = s tᵀ h: ∂v = G 𝒰ᵀ Λ, ∂λ_i = (vᵀ G 𝒰ᵀ)_ii, ∂𝒰 = Λ vᵀ G.</summary>
        private void AccumulateInner(Tensor h)
        {
            if (!factors.InnerLeft.RequiresGrad && !factors.SingularValues.RequiresGrad && !factors.InnerRight.RequiresGrad) return;
            Kernels kernels = h.Device.Kernels;
            Tensor dmiddle = Tensor.Empty(middle.Shape, h.DType);
            kernels.MatMul(t, true, h, false, dmiddle, scale);

            Tensor dright = Tensor.Empty(factors.InnerLeft.Shape, h.DType);
            kernels.MatMul(dmiddle, false, factors.InnerRight, true, dright);
            if (WantedGradient(factors.InnerLeft) is { } dinnerLeft)
            {
                kernels.Multiply(dright, Materialise(factors.SingularValues, dright.Shape), dinnerLeft);
                Accumulate(factors.InnerLeft, dinnerLeft);
            }

            if (WantedGradient(factors.SingularValues) is { } dvalues)
            {
                Tensor product = Tensor.Empty(dright.Shape, h.DType);
                kernels.Multiply(dright, factors.InnerLeft, product);
                kernels.SumRows(product, dvalues);
                Accumulate(factors.SingularValues, dvalues);
            }

            if (WantedGradient(factors.InnerRight) is { } dinnerRight)
            {
                Tensor dleft = Tensor.Empty(dinnerRight.Shape, h.DType);
                kernels.MatMul(factors.InnerLeft, true, dmiddle, false, dleft);
                Tensor values = factors.SingularValues.View([factors.Rank, 1]);
                kernels.Multiply(dleft, Materialise(values, dleft.Shape), dinnerRight);
                Accumulate(factors.InnerRight, dinnerRight);
            }
        }
    }
}
