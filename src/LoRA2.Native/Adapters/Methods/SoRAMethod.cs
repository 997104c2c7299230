using System.Buffers;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>How SoRA's gate is thresholded after each step of the optimiser.</summary>
public enum ProximalForm
{
    /// <summary>The paper's soft threshold, g ← sign(g) · max(|g| − ξ, 0).</summary>
    Paper,

    /// <summary>
    /// As the authors' released code does it, three lines one after the other: shrink what is above ξ, raise what is below −ξ, then zero what is within
    /// ξ. So |g| &lt; 2ξ also ends at 0, and |g| = ξ stays.
    /// </summary>
    Released,

    /// <summary>The paper's form with ξ times the learning rate, as in the authors' other variant.</summary>
    Rate,
}

/// <summary>
/// SoRA (arXiv 2311.11696): y += s (((x Aᵀ) ∘ g) Bᵀ) with A and B as in LoRA, a gate g [r] that starts Gaussian(0, 1), and s = alpha / r. The loss gets λ times
/// the mean of |g| over all gates; after each step of the optimiser the gates alone take a soft-threshold step by ξ. A rank whose gate is 0 is dropped when the
/// adapter is saved.
/// </summary>
/// <remarks>
/// The authors' code thresholds differently from their paper: <see cref="ProximalForm"/> has both. They give the gates an optimiser of their own; here they are
/// AdamW's with a learning rate and a warm-up of their own, which is the same for each element.
/// </remarks>
public sealed record SoRAMethod : LowRankMethod
{
    private static readonly string[] Forms = ["paper", "released", "rate"];

    private static readonly IReadOnlyList<MethodOption> OwnOptions =
    [
        RankOption("rank at the start"), AlphaOption,
        MethodOption.Real<SoRAMethod>("gate-penalty", "λ: weight of the mean |g| in the loss", method => method.Penalty, (method, value) => method with { Penalty = value }, 0, 1e6),
        MethodOption.Real<SoRAMethod>("gate-threshold", "ξ: what a gate is shrunk by at every step", method => method.Threshold, (method, value) => method with { Threshold = value }, 0, 1e6),
        MethodOption.Choice<SoRAMethod>(
            "proximal", "form of the threshold: the paper's, the authors' released code's, or the paper's with ξ times the learning rate", method => Forms[(int)method.Proximal], (method, value) => method with { Proximal = (ProximalForm)Array.IndexOf(Forms, value) }, Forms),
        MethodOption.Real<SoRAMethod>("gate-rate", "factor of the learning rate of the gates", method => method.GateRate, (method, value) => method with { GateRate = value }, 0, 1e6),
        MethodOption.Real<SoRAMethod>("gate-warmup", "share of the run in which the gates' learning rate rises", method => method.GateWarmup, (method, value) => method with { GateWarmup = value }, 0, 1),
    ];

    /// <summary>λ.</summary>
    public double Penalty { get; init; } = 10;

    /// <summary>ξ.</summary>
    public double Threshold { get; init; } = 3e-4;

    /// <summary>How the gate is thresholded.</summary>
    public ProximalForm Proximal { get; init; }

    /// <summary>Factor of the gates' learning rate.</summary>
    public double GateRate { get; init; } = 1;

    /// <summary>Share of the run in which the gates' learning rate rises, whatever the warm-up of the other parameters.</summary>
    public double GateWarmup { get; init; } = 0.06;

    /// <inheritdoc/>
    public override double? RankWarmup => GateWarmup;

    /// <inheritdoc/>
    public override string Name => "sora";

    /// <inheritdoc/>
    public override string Title => "SoRA";

    /// <inheritdoc/>
    public override string? PeftType => "SORA";

    /// <inheritdoc/>
    public override double DefaultLearningRate => 8e-4;

    /// <inheritdoc/>
    public override double RegulariserWeight => Penalty;

    /// <inheritdoc/>
    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    /// <inheritdoc/>
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        (Tensor a, Tensor b) = LoRAMethod.Fresh(layer, Rank, random);
        Tensor gate = Tensor.Empty([Rank, 1]);
        // A stream of its own: A has taken the first values of this one.
        new Philox(random.Seed, random.Stream | 0x80000000ul).FillNormal(gate.AsSpan<float>(), 0, 1);
        return new SoRAAdapter(layer.Name, a, gate, b, Alpha / Rank);
    }

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields) => this with { Rank = fields.Int("r", null, 1, MaxRank), Alpha = ReadAlpha(fields) };

    /// <inheritdoc/>
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer)
    {
        int rank = tensors.Extent(layer, "lora_gate", 0, Rank);
        return new SoRAAdapter(
            layer.Name, tensors.Part(layer, "lora_A", [rank, layer.Inputs]), tensors.Part(layer, "lora_gate", [rank, 1]), tensors.Part(layer, "lora_B", [layer.Outputs, rank]), Alpha / Rank);
    }

    /// <inheritdoc/>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("lora_alpha", Alpha);
        json.WriteNumber("lora_dropout", 0);
        json.WriteNumber("r", Rank);
    }

    /// <summary>The mean of |g| over all gates; where g is 0 its gradient is taken as 0.</summary>
    public override Tensor? Regulariser(IReadOnlyList<Adapter> adapters)
    {
        if (adapters.Count == 0) return null;
        Tensor[] each = ArrayPool<Tensor>.Shared.Rent(adapters.Count);
        for (int i = 0; i < adapters.Count; i++) each[i] = ((SoRAAdapter)adapters[i]).Gate;
        Tensor gates = Ops.Concat(0, each.AsSpan(0, adapters.Count));
        ArrayPool<Tensor>.Shared.Return(each, clearArray: true);
        return Ops.Mean(Ops.Add(Ops.Relu(gates), Ops.Relu(Ops.Scale(gates, -1))));
    }

    /// <inheritdoc/>
    public override void AfterStep(Adapter adapter, double learningRate)
    {
        double threshold = Proximal == ProximalForm.Rate ? Threshold * learningRate * GateRate : Threshold;
        Tensor gate = ((SoRAAdapter)adapter).Gate;
        gate.Device.Kernels.Shrink(gate, threshold, Proximal == ProximalForm.Released);
    }

    /// <inheritdoc/>
    public override double RateFactor(Adapter adapter, Parameter parameter) => IsGate(parameter) ? GateRate : 1;

    /// <inheritdoc/>
    public override bool Decays(Parameter parameter) => !IsGate(parameter);

    private static bool IsGate(Parameter parameter) => parameter.Name.EndsWith(".lora_gate", StringComparison.Ordinal);
}

/// <summary>SoRA's factors and gate on one layer.</summary>
public sealed class SoRAAdapter : LowRankAdapter
{
    private readonly Parameter a;
    private readonly Parameter gate;
    private readonly Parameter b;

    /// <summary>Takes over A [r, in], g [r, 1] and B [out, r].</summary>
    public SoRAAdapter(string module, Tensor a, Tensor gate, Tensor b, double scale)
        : base(module)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(b);
        this.a = Trained("lora_A", a);
        this.gate = Trained("lora_gate", gate);
        this.b = Trained("lora_B", b);
        Scale = scale;
    }

    /// <summary>g, [r, 1].</summary>
    public Tensor Gate => gate.Value;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [a, gate, b];

    /// <inheritdoc/>
    public override double Scale { get; }

    /// <inheritdoc/>
    public override Tensor RankValues => Gate;

    /// <inheritdoc/>
    public override int EffectiveRank => RankSelection.CountNonZero(Gate);

    /// <summary>g ∘ A costs r · in, so the layer costs what LoRA's does.</summary>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None) =>
        Ops.LoRALinear(x, weight, bias, Ops.Multiply(a.Value, Gate), b.Value, Scale, activation);

    /// <inheritdoc/>
    public override (Tensor A, Tensor B) LowRank() => (Ops.Multiply(a.Value, Gate), b.Value);

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft()
    {
        int[] kept = RankSelection.NonZero(Gate);
        return [("lora_A", RankSelection.Rows(a.Value, kept)), ("lora_B", RankSelection.Columns(b.Value, kept)), ("lora_gate", RankSelection.Rows(Gate, kept))];
    }
}
