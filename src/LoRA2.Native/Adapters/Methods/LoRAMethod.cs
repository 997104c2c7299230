using System.Text.Json;
using System.Text.RegularExpressions;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>How alpha becomes the update's scale.</summary>
public enum LoRAScaling
{
    /// <summary>alpha / r.</summary>
    Standard,

    /// <summary>alpha / √r (rsLoRA, arXiv 2312.03732): the size of the update no longer shrinks with the rank.</summary>
    RankStabilised,
}

/// <summary>
/// LoRA (arXiv 2106.09685): y += s (x Aᵀ) Bᵀ with A [r, in] Kaiming-uniform(a = √5), that is U(−1/√in, 1/√in), B [out, r] zero and s = alpha / r; for
/// rsLoRA s = alpha / √r. Computed as PEFT computes it, and stored as PEFT stores it.
/// </summary>
public record LoRAMethod : LowRankMethod
{
    private static readonly string[] ScalingNames = ["standard", "rslora"];

    private static readonly IReadOnlyList<MethodOption> OwnOptions =
    [
        RankOption("rank of the update"), AlphaOption,
        MethodOption.Choice<LoRAMethod>(
            "scaling", "of the update: alpha / r, or rsLoRA's alpha / √r", method => ScalingNames[(int)method.Scaling], (method, value) => method with { Scaling = (LoRAScaling)Array.IndexOf(ScalingNames, value) }, ScalingNames),
    ];

    /// <inheritdoc/>
    public override string Name => "lora";

    /// <inheritdoc/>
    public override string Title => "LoRA";

    /// <inheritdoc/>
    public override string? PeftType => "LORA";

    /// <summary>How alpha becomes the scale.</summary>
    public LoRAScaling Scaling { get; init; }

    /// <summary>Whether it is DoRA, which shares PEFT's type and fields.</summary>
    protected virtual bool UsesMagnitude => false;

    /// <summary>The scale.</summary>
    public double Scale => Alpha / (Scaling == LoRAScaling.Standard ? Rank : Math.Sqrt(Rank));

    /// <inheritdoc/>
    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    /// <summary>Fresh A and B.</summary>
    internal static (Tensor A, Tensor B) Fresh(LinearLayer layer, int rank, Philox random)
    {
        Tensor a = Tensor.Empty([rank, layer.Inputs]);
        double bound = 1 / Math.Sqrt(layer.Inputs);
        random.FillUniform(a.AsSpan<float>(), (float)-bound, (float)bound);
        return (a, Tensor.Zeros([layer.Outputs, rank]));
    }

    /// <inheritdoc/>
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        (Tensor a, Tensor b) = Fresh(layer, Rank, random);
        return new LoRAAdapter(layer.Name, a, b, Scale);
    }

    /// <inheritdoc/>
    public override bool Reads(ConfigFields fields) => base.Reads(fields) && fields.Bool("use_dora", false) == UsesMagnitude;

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields) => this with
    {
        Rank = fields.Int("r", null, 1, MaxRank),
        Alpha = ReadAlpha(fields),
        Scaling = fields.Bool("use_rslora", false) ? LoRAScaling.RankStabilised : LoRAScaling.Standard,
    };

    /// <summary>PEFT's rank_pattern and alpha_pattern: other ranks and alphas for modules whose names end with a regular expression.</summary>
    private IReadOnlyList<(ModulePattern Module, int? Rank, double? Alpha)> Patterns { get; init; } = [];

    /// <summary>This method with the patterns of a config.</summary>
    internal LoRAMethod ReadPatterns(ConfigFields fields) => this with
    {
        Patterns =
        [
            .. fields.Numbers("rank_pattern", 1, MaxRank).Select(pair => (ModulePattern.Ending(fields, "rank_pattern", pair.Key), (int?)pair.Value, (double?)null)),
            .. fields.Numbers("alpha_pattern", -MaxAlpha, MaxAlpha).Select(pair => (ModulePattern.Ending(fields, "alpha_pattern", pair.Key), (int?)null, (double?)pair.Value)),
        ],
    };

    /// <summary>What of the weights PEFT has taken out for the adapter's start. Here the weights stay whole and the part is in the adapter, with the other sign, so that its rank is twice PEFT's.</summary>
    private RemovedPart Removed { get; init; }

    /// <summary>This method, as PEFT's config says it, for an adapter whose start was taken out of the weights: what PEFT itself converts it to, of twice the rank and the same scale.</summary>
    internal LoRAMethod Without(RemovedPart part)
    {
        double more = Scaling == LoRAScaling.Standard ? 2 : Math.Sqrt(2);
        return this with { Removed = part, Rank = 2 * Rank, Alpha = more * Alpha, Patterns = [.. Patterns.Select(pattern => (pattern.Module, 2 * pattern.Rank, more * pattern.Alpha))] };
    }

    /// <summary>The factors that a file has of a layer, A [r, in] and B [out, r], with what was taken out of its weight.</summary>
    internal (Tensor A, Tensor B) Factors(AdapterTensors tensors, LinearLayer layer)
    {
        int saved = Removed == RemovedPart.None ? Rank : Rank / 2;
        (Tensor a, Tensor b) = (tensors.Part(layer, "lora_A.weight", [saved, layer.Inputs]), tensors.Part(layer, "lora_B.weight", [layer.Outputs, saved]));
        if (Removed == RemovedPart.None) return (a, b);
        (Tensor takenA, Tensor takenB) = RemovedParts.Of(Removed, layer, saved, Scale);
        return (Ops.Concat(0, a, takenA), Ops.Concat(1, b, Ops.Negate(takenB)));
    }

    /// <summary>This method with a module's own rank and alpha: PEFT takes the first pattern that matches.</summary>
    private protected LoRAMethod Of(string module)
    {
        if (Patterns.Count == 0) return this;
        (ModulePattern Module, int? Rank, double? Alpha)[] own = [.. Patterns.Where(pattern => pattern.Module.IsMatch(module))];
        return this with
        {
            Rank = own.Select(pattern => pattern.Rank).FirstOrDefault(value => value is not null) ?? Rank,
            Alpha = own.Select(pattern => pattern.Alpha).FirstOrDefault(value => value is not null) ?? Alpha,
        };
    }

    /// <summary>The patterns that fit none of some layers, with the field that each is in.</summary>
    internal IEnumerable<(string Field, string Pattern)> PatternsBeside(IReadOnlyList<LinearLayer> layers) =>
        Patterns.Where(pattern => !layers.Any(layer => pattern.Module.IsMatch(layer.Name))).Select(pattern => (pattern.Rank is null ? "alpha_pattern" : "rank_pattern", pattern.Module.Text));

    /// <summary>A module's own alpha.</summary>
    internal double AlphaOf(string module) => Of(module).Alpha;

    /// <inheritdoc/>
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer)
    {
        LoRAMethod own = Of(layer.Name);
        (Tensor a, Tensor b) = own.Factors(tensors, layer);
        return new LoRAAdapter(layer.Name, a, b, own.Scale);
    }

    /// <inheritdoc/>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("lora_alpha", Alpha);
        json.WriteNumber("lora_dropout", 0);
        json.WriteNumber("r", Rank);
        json.WriteBoolean("use_dora", UsesMagnitude);
        json.WriteBoolean("use_rslora", Scaling == LoRAScaling.RankStabilised);
        if (Patterns.Count == 0) return;
        // By whole names: what the patterns came to.
        json.WriteStartObject("rank_pattern");
        foreach (Adapter adapter in adapters) json.WriteNumber(Regex.Escape(adapter.Module), Of(adapter.Module).Rank);
        json.WriteEndObject();
        json.WriteStartObject("alpha_pattern");
        foreach (Adapter adapter in adapters) json.WriteNumber(Regex.Escape(adapter.Module), Of(adapter.Module).Alpha);
        json.WriteEndObject();
    }
}

/// <summary>LoRA's two factors on one layer.</summary>
public sealed class LoRAAdapter : LowRankAdapter
{
    private readonly Parameter a;
    private readonly Parameter b;

    /// <summary>Takes over A [r, in] and B [out, r].</summary>
    public LoRAAdapter(string module, Tensor a, Tensor b, double scale)
        : base(module)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        this.a = Trained("lora_A", a);
        this.b = Trained("lora_B", b);
        Scale = scale;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [a, b];

    /// <inheritdoc/>
    public override double Scale { get; }

    /// <inheritdoc/>
    public override int EffectiveRank => a.Value.Shape[0];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None) =>
        Ops.LoRALinear(x, weight, bias, a.Value, b.Value, Scale, activation);

    /// <inheritdoc/>
    public override (Tensor A, Tensor B) LowRank() => (a.Value, b.Value);

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() => [("lora_A.weight", a.Value), ("lora_B.weight", b.Value)];
}
