namespace LoRA2.Native.Tensors;

/// <content>LoRA2's linear layer.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b + s ((x u) M) 𝒱 with M = v diag(λ) 𝒰 (LoRA2, arXiv 2408.06854, equations 3 and 4, collapsed): x [.., in], W [out, in],
    /// u [in, k], v [k, r], λ [r], 𝒰 [r, k], 𝒱 [k, out]. M is k × k, so the layer costs what a LoRA layer of rank k costs, whatever r is; neither
    /// Δ = u v Λ 𝒰 𝒱 nor P = u v nor Q = 𝒰 𝒱 is ever formed. With λ = 0 the result is W's alone, bit for bit.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types don't fit.</exception>
    public static Tensor LoRA2Linear(Tensor x, Tensor weight, Tensor? bias, LoRA2Factors factors, double scale)
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
        kernels.MatMul(x, false, weight, true, y, epilogue: new Epilogue(bias, tm, factors.OuterRight, scale), precision: weight.Precision);
        return Tape.Records(x, weight, bias, factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, factors.OuterRight)
            ? Tape.Record(new LoRA2LinearNode(x, weight, bias, factors, middle, t, scale), y)
            : y;
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
        private readonly LoRA2Factors factors;
        private readonly Tensor middle;
        private readonly Tensor t;
        private readonly double scale;

        public LoRA2LinearNode(Tensor x, Tensor weight, Tensor? bias, LoRA2Factors factors, Tensor middle, Tensor t, double scale)
            : base(x, weight, bias, needsInput: factors.OuterLeft.RequiresGrad)
        {
            this.factors = factors;
            this.middle = Save(middle);
            this.t = Save(t);
            this.scale = scale;
            foreach (Tensor factor in factors) Save(factor);
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
                kernels.MatMul(X, true, hm, false, douterLeft, scale);
                Accumulate(factors.OuterLeft, douterLeft);
            }

            AccumulateInner(h);
            AccumulateWeightAndBias(gradient);
            if (X.RequiresGrad) AccumulateInput(gradient, new Epilogue(null, hm, Transposed(factors.OuterLeft), scale));
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
                Tensor values = factors.SingularValues.View([factors.Rank, 1], [1, 1]);
                kernels.Multiply(dleft, Materialise(values, dleft.Shape), dinnerRight);
                Accumulate(factors.InnerRight, dinnerRight);
            }
        }
    }
}
