using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>LoRA's linear layer.</content>
public static partial class Ops
{
    /// <summary>
    /// y = x Wᵀ + b + s (x Aᵀ) Bᵀ (LoRA, arXiv 2106.09685, equation 3, in PEFT's layout): x [.., in], W [out, in], A [r, in], B [out, r].
    /// The update is added in the pass that writes y; with <paramref name="activation"/> the result is activation(y), as of <see cref="Linear"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types don't fit.</exception>
    public static Tensor LoRALinear(Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, Activation activation = Activation.None)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        Shape shape = LinearShape("LoRALinear", x, weight, bias);
        RequireSameType("LoRALinear", x, a, b);
        if (a.Shape.Rank != 2 || b.Shape.Rank != 2 || a.Shape[1] != weight.Shape[1] || b.Shape[0] != weight.Shape[0] || a.Shape[0] != b.Shape[1])
            throw new ArgumentException($"LoRALinear: A {a.Shape} and B {b.Shape} don't fit a weight of shape {weight.Shape}");
        x = Contiguous(x);
        weight = Contiguous(weight);
        bias = bias is null ? null : Contiguous(bias);
        a = Contiguous(a);
        b = Contiguous(b);
        Tensor t = Tensor.Empty([x.Shape.Rows, a.Shape[0]], x.DType, x.Device);
        Tensor y = Tensor.Empty(shape, x.DType, x.Device);
        bool records = Tape.Records(x, weight, bias, a, b);
        Tensor? activated = RoomForActivated(y, activation, records);
        var epilogue = new Epilogue(bias, t, b, scale, Activated: activated, Activation: activation, RightTransposed: true, Down: a, DownTransposed: true);
        x.Device.Kernels.MatMul(x, false, weight, true, y, epilogue: epilogue, precision: weight.Precision);
        if (records) Tape.Record(LoRALinearNode.Of(x, weight, bias, a, b, t, scale), y);
        return Activated(y, activated, activation);
    }

    private sealed class LoRALinearNode : LinearNodeBase
    {
        private Tensor a = null!;
        private Tensor b = null!;
        private Tensor t = null!;
        private double scale;

        public static LoRALinearNode Of(Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, Tensor t, double scale)
        {
            LoRALinearNode node = Take<LoRALinearNode>();
            node.Set(x, weight, bias, needsInput: a.RequiresGrad);
            node.a = node.Save(a);
            node.b = node.Save(b);
            node.t = node.Save(t);
            node.scale = scale;
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            AccumulateProduct(b, gradient, true, t, false, scale);
            Tensor h = Tensor.Empty(t.Shape, t.DType, t.Device);
            if (X.RequiresGrad) AccumulateInput(gradient, new Epilogue(null, h, a, scale, Down: b));
            else gradient.Device.Kernels.MatMul(gradient, false, b, false, h);
            if (a.RequiresGrad) AccumulateProduct(a, h, true, Input, false, scale);
            AccumulateWeightAndBias(gradient);
        }
    }
}
