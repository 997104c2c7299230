using System.Buffers;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// AdaLoRA (arXiv 2303.10512) in PEFT's convention: y += s (x (A ∘ E)ᵀ) Bᵀ with A [r, in] and B [out, r] orthonormal or Gaussian(0, 0.02²), E = λ [r, 1] zero and
/// s = alpha / (r + 1e-5) for the initial r, which pruning does not change. The loss gets γ · the mean over all A and B of ‖A Aᵀ − I‖_F.
/// </summary>
/// <remarks>
/// Three things are not as in the public code. A target rank equal to the initial one means that nothing is pruned (theirs throws). Exactly b(t) singular
/// values survive a pruning, ties going to the earlier one (theirs drops all that are tied at the threshold). The trainer itself calls the allocator
/// (PEFT leaves it to the user, and without the call nothing is ever pruned). The authors and PEFT start from Gaussian factors with one learning rate for
/// all; the start and the rate here make the first steps do as much as LoRA's (<see cref="SingularValueRates"/>).
/// </remarks>
public sealed record AdaLoRAMethod : LowRankMethod
{
    private static readonly IReadOnlyList<MethodOption> OwnOptions =
    [
        RankOption("singular values at the start"), AlphaOption,
        MethodOption.Real<AdaLoRAMethod>("gamma", "weight of the orthogonality loss", method => method.Gamma, (method, value) => method with { Gamma = value }, 0, 1e6),
        MethodOption.Choice<AdaLoRAMethod>(
            "init", "of the factors", method => method.IsOrthonormal ? Orthonormal.Name : Orthonormal.Gaussian, (method, value) => method with { IsOrthonormal = value == Orthonormal.Name }, Orthonormal.Name, Orthonormal.Gaussian),
        MethodOption.RealOr<AdaLoRAMethod>(
            SingularValueRates.OptionName, SingularValueRates.OptionDescription, SingularValueRates.Matched, method => method.SingularValueRate, (method, value) => method with { SingularValueRate = value }, 0, 1e6),
    ];

    private const double Deviation = 0.02;

    /// <summary>γ, the weight of the orthogonality loss.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Whether A's rows and B's columns start orthonormal, rather than Gaussian.</summary>
    public bool IsOrthonormal { get; init; } = true;

    /// <summary>
    /// Factor of the learning rate of λ; null for the one with which the first step from an orthonormal start does as much as LoRA's
    /// (<see cref="SingularValueRates.Matching"/>).
    /// </summary>
    public double? SingularValueRate { get; init; }

    /// <inheritdoc/>
    public override string Name => "adalora";

    /// <inheritdoc/>
    public override string Title => "AdaLoRA";

    /// <inheritdoc/>
    public override string? PeftType => "ADALORA";

    /// <inheritdoc/>
    public override bool HasSingularValues => true;

    /// <inheritdoc/>
    public override double RegulariserWeight => Gamma;

    /// <inheritdoc/>
    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    private double Scale => Alpha / (Rank + 1e-5);

    /// <inheritdoc/>
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        Tensor a = Tensor.Empty([Rank, layer.Inputs]), b = Tensor.Empty([layer.Outputs, Rank]);
        random.FillNormal(a.AsSpan<float>(), 0, (float)(IsOrthonormal ? 1 : Deviation));
        random.FillNormal(b.AsSpan<float>(), 0, (float)(IsOrthonormal ? 1 : Deviation));
        if (IsOrthonormal)
        {
            Orthonormal.Make(a.AsSpan<float>(), Rank, layer.Inputs);
            Orthonormal.Make(b.AsSpan<float>(), layer.Outputs, Rank);
        }

        return new AdaLoRAAdapter(layer.Name, a, Tensor.Zeros([Rank, 1]), b, Scale);
    }

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields) => this with
    {
        Rank = fields.Int("init_r", 12, 1, MaxRank),
        Alpha = ReadAlpha(fields),
        Gamma = fields.Number("orth_reg_weight", 0.5, 0, 1e6),
    };

    /// <summary>A matrix may have lost ranks: the file's shapes say how many are left, as rank_pattern does.</summary>
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer)
    {
        int rank = tensors.Extent(layer, "lora_E", 0, Rank);
        return new AdaLoRAAdapter(
            layer.Name, tensors.Part(layer, "lora_A", [rank, layer.Inputs]), tensors.Part(layer, "lora_E", [rank, 1]), tensors.Part(layer, "lora_B", [layer.Outputs, rank]), Scale);
    }

    /// <summary>
    /// PEFT makes the matrices with init_r and then cuts them by rank_pattern. Its later versions refuse a config without a schedule, whether it is to be
    /// trained or not: one step is the shortest they take.
    /// </summary>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("init_r", Rank);
        json.WriteNumber("lora_alpha", Alpha);
        json.WriteNumber("lora_dropout", 0);
        json.WriteNumber("orth_reg_weight", Gamma);
        json.WriteStartObject("rank_pattern");
        foreach (AdaLoRAAdapter adapter in adapters.Cast<AdaLoRAAdapter>())
        {
            json.WriteStartArray($"{adapter.Module}.lora_E");
            foreach (float value in adapter.SingularValues.ToArray<float>()) json.WriteBooleanValue(value != 0);
            for (int i = adapter.SingularValues.Count; i < Rank; i++) json.WriteBooleanValue(false);
            json.WriteEndArray();
        }

        json.WriteEndObject();
        int left = adapters.Sum(adapter => adapter.EffectiveRank);
        json.WriteNumber("target_r", adapters.Count == 0 ? Rank : (int)Math.Ceiling(left / (double)adapters.Count));
        json.WriteNumber("tfinal", 0);
        json.WriteNumber("tinit", 0);
        json.WriteNumber("total_step", 1);
    }

    /// <summary>The mean over all A and B of ‖A Aᵀ − I‖_F and ‖BᵀB − I‖_F.</summary>
    public override Tensor? Regulariser(IReadOnlyList<Adapter> adapters)
    {
        if (adapters.Count == 0) return null;
        (Tensor B, Tensor A)[] pairs = ArrayPool<(Tensor, Tensor)>.Shared.Rent(adapters.Count);
        for (int i = 0; i < adapters.Count; i++) pairs[i] = (((AdaLoRAAdapter)adapters[i]).B, ((AdaLoRAAdapter)adapters[i]).A);
        Tensor loss = Ops.OrthogonalityNorm(pairs.AsSpan(0, adapters.Count));
        ArrayPool<(Tensor, Tensor)>.Shared.Return(pairs, clearArray: true);
        return loss;
    }

    /// <inheritdoc/>
    public override double RateFactor(Adapter adapter, Parameter parameter)
    {
        var factors = (AdaLoRAAdapter)adapter;
        if (parameter.Value != factors.SingularValues) return 1;
        return SingularValueRate ?? SingularValueRates.Matching(factors.B.Shape[0], Rank, Rank);
    }

    /// <summary>Decay would pull singular values to 0 without regard to their importance.</summary>
    public override bool Decays(Parameter parameter) => !parameter.Name.EndsWith(".lora_E", StringComparison.Ordinal);
}

/// <summary>AdaLoRA's three factors on one layer.</summary>
public sealed class AdaLoRAAdapter : SingularValueAdapter
{
    private readonly Parameter a;
    private readonly Parameter e;
    private readonly Parameter b;

    /// <summary>Takes over A [r, in], E [r, 1] and B [out, r].</summary>
    public AdaLoRAAdapter(string module, Tensor a, Tensor e, Tensor b, double scale)
        : base(module)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(e);
        ArgumentNullException.ThrowIfNull(b);
        this.a = Trained("lora_A", a);
        this.e = Trained("lora_E", e);
        this.b = Trained("lora_B", b);
        Scale = scale;
    }

    /// <summary>A = Q, [r, in].</summary>
    public Tensor A => a.Value;

    /// <summary>B = P, [out, r].</summary>
    public Tensor B => b.Value;

    /// <inheritdoc/>
    public override Tensor SingularValues => e.Value;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [a, e, b];

    /// <inheritdoc/>
    public override double Scale { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<ScoredFactor> Scored() => [new("lora_E", e.Value, 0, 1), new("lora_A", A, 0, A.Shape[1]), new("lora_B", B, 1, B.Shape[0])];

    /// <summary>A ∘ E costs r · in, so the layer costs what LoRA's does.</summary>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None) =>
        Ops.LoRALinear(x, weight, bias, Ops.Multiply(A, e.Value), B, Scale, activation);

    /// <inheritdoc/>
    public override (Tensor A, Tensor B) LowRank() => (Ops.Multiply(A, e.Value), B);

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft()
    {
        int[] kept = Kept();
        return [("lora_A", RankSelection.Rows(A, kept)), ("lora_B", RankSelection.Columns(B, kept)), ("lora_E", RankSelection.Rows(e.Value, kept))];
    }
}
