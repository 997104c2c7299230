using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Samples;

/// <summary>The method with its settings.</summary>
internal sealed record LoRAFAMethod : LowRankMethod
{
    private static readonly IReadOnlyList<MethodOption> OwnOptions = [RankOption("rank of the update"), AlphaOption];
    public override string Name => "lora-fa";
    public override string Title => "LoRA-FA";
    public override string? PeftType => "LORA_FA";     // of our own: PEFT has no such type
    public override IReadOnlyList<MethodOption> Options => OwnOptions;
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        Tensor a = Tensor.Empty([Rank, layer.Inputs]);
        random.FillUniform(a.AsSpan<float>(), -1 / MathF.Sqrt(layer.Inputs), 1 / MathF.Sqrt(layer.Inputs));
        return new LoRAFAAdapter(layer.Name, a, Tensor.Zeros([layer.Outputs, Rank]), Alpha / Rank);
    }
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer) =>
        new LoRAFAAdapter(layer.Name, tensors.Part(layer, "lora_A", [Rank, layer.Inputs]), tensors.Part(layer, "lora_B", [layer.Outputs, Rank]), Alpha / Rank);
    public override AdapterMethod ReadConfig(ConfigFields fields) => this with { Rank = fields.Int("r", null, 1), Alpha = ReadAlpha(fields) };
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("r", Rank);
        json.WriteNumber("lora_alpha", Alpha);
    }
}

/// <summary>What sits on one layer: y += s (x Aᵀ) Bᵀ with A as it was drawn.</summary>
internal sealed class LoRAFAAdapter : LowRankAdapter
{
    private readonly Parameter a, b;
    public LoRAFAAdapter(string module, Tensor a, Tensor b, double scale) : base(module)
    {
        (this.a, this.b, Scale) = (Trained("lora_A", a), Trained("lora_B", b), scale);
        this.a.Freeze();
    }
    public override IReadOnlyList<Parameter> Parameters => [a, b];
    public override double Scale { get; }
    public override int EffectiveRank => b.Value.Shape[1];
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation) => Ops.LoRALinear(x, weight, bias, a.Value, b.Value, Scale, activation);
    public override (Tensor A, Tensor B) LowRank() => (a.Value, b.Value);
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() => [("lora_A", a.Value), ("lora_B", b.Value)];
}
