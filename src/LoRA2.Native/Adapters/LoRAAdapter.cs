using LoRA2.Native.Tensors;

namespace LoRA2.Native.Adapters;

/// <summary>
/// LoRA (arXiv 2106.09685): y += s (x Aᵀ) Bᵀ with A [r, in] Kaiming-uniform(a = √5), that is U(−1/√in, 1/√in), B [out, r] zero and s = alpha / r.
/// </summary>
public sealed class LoRAAdapter : Adapter
{
    private readonly Parameter a;
    private readonly Parameter b;

    /// <summary>Takes over both factors.</summary>
    public LoRAAdapter(string module, Tensor a, Tensor b, double alpha)
    {
        this.a = Trained($"{module}.lora_A", a);
        this.b = Trained($"{module}.lora_B", b);
        Scale = alpha / Math.Max(a.Shape[0], 1);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [a, b];

    /// <inheritdoc/>
    public override double Scale { get; }

    internal override bool KeepsNothing => true;

    /// <summary>A fresh adapter.</summary>
    public static LoRAAdapter Create(string module, int inputs, int outputs, int rank, double alpha, Philox random)
    {
        Tensor a = Tensor.Empty([rank, inputs]);
        double bound = 1 / Math.Sqrt(inputs);
        random.FillUniform(a.AsSpan<float>(), (float)-bound, (float)bound);
        return new LoRAAdapter(module, a, Tensor.Zeros([outputs, rank]), alpha);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor bias) => Ops.LoRALinear(x, weight, bias, a.Value, b.Value, Scale);

    /// <inheritdoc/>
    public override Tensor Delta() => Ops.Scale(Ops.MatMul(b.Value, a.Value), Scale);

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft()
    {
        yield return ("lora_A.weight", a.Value);
        yield return ("lora_B.weight", b.Value);
    }
}
