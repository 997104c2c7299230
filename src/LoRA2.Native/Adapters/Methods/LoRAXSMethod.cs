using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// LoRA-XS (arXiv 2405.17604): y += s ((x Aᵀ) Rᵀ) Bᵀ with A = Σ_r V_rᵀ [r, in] and B = U_r [out, r] from the truncated singular value decomposition of the frozen
/// weight W = U Σ Vᵀ, both frozen too; only R [r, r], Gaussian with σ = 1e-5, is trained, so r² values a matrix whatever its size. s = alpha / r.
/// </summary>
/// <remarks>
/// A and B are saved along with R, as the authors' code does: singular vectors are determined up to sign only, so R means nothing without them. The
/// authors use scikit-learn's randomised decomposition; here it is our own, exact to single precision and always the same.
/// </remarks>
public sealed record LoRAXSMethod : LowRankMethod
{
    private static readonly IReadOnlyList<MethodOption> OwnOptions =
    [
        RankOption("side of the trained matrix R"), AlphaOption,
        MethodOption.Real<LoRAXSMethod>(
            "init-std", "standard deviation of R at the start", method => method.InitialDeviation, (method, value) => method with { InitialDeviation = value }, 0, 1e6),
    ];

    /// <summary>σ of R's Gaussian initialisation.</summary>
    public double InitialDeviation { get; init; } = 1e-5;

    /// <inheritdoc/>
    public override string Name => "lora-xs";

    /// <inheritdoc/>
    public override string Title => "LoRA-XS";

    /// <inheritdoc/>
    public override string? PeftType => "LORA_XS";

    /// <summary>Those the authors adapt.</summary>
    public override IReadOnlyList<string> DefaultTargets => ["query", "value", "attention.output", "output"];

    /// <inheritdoc/>
    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    /// <inheritdoc/>
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        int most = Math.Min(layer.Inputs, layer.Outputs);
        if (Rank > most) throw new InputException($"rank {Rank} is above {most}, the rank that {layer.Name} can have");
        (Tensor left, float[] values, Tensor right) = Decomposed(layer);
        Tensor a = Ops.Multiply(right, Tensor.From(values, [Rank, 1]));
        Tensor r = Tensor.Empty([Rank, Rank]);
        random.FillNormal(r.AsSpan<float>(), 0, InitialDeviation);
        return new LoRAXSAdapter(layer.Name, a, left, r, Alpha / Rank);
    }

    private (Tensor Left, float[] Values, Tensor Right) Decomposed(LinearLayer layer)
    {
        try
        {
            return TruncatedSvd.Of(layer.Weight.Value, Rank);
        }
        catch (ArithmeticException e)
        {
            throw new InputException($"{layer.Weight.Name}: {e.Message}; there is no singular value decomposition of it", e);
        }
    }

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields) => this with { Rank = fields.Int("r", null, 1, MaxRank), Alpha = ReadAlpha(fields) };

    /// <inheritdoc/>
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer) => new LoRAXSAdapter(
        layer.Name, tensors.Part(layer, "lora_A", [Rank, layer.Inputs]), tensors.Part(layer, "lora_B", [layer.Outputs, Rank]), tensors.Part(layer, "lora_R", [Rank, Rank]), Alpha / Rank);

    /// <inheritdoc/>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("lora_alpha", Alpha);
        json.WriteNumber("lora_dropout", 0);
        json.WriteNumber("r", Rank);
    }
}

/// <summary>LoRA-XS's two frozen factors and the trained matrix between them, on one layer.</summary>
public sealed class LoRAXSAdapter : LowRankAdapter
{
    private readonly Parameter r;
    private readonly Parameter a;
    private readonly Parameter b;

    /// <summary>Takes over A [r, in], B [out, r] and R [r, r].</summary>
    public LoRAXSAdapter(string module, Tensor a, Tensor b, Tensor r, double scale)
        : base(module)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(r);
        this.a = new Parameter($"{module}.lora_A", Ops.Contiguous(a));
        this.b = new Parameter($"{module}.lora_B", Ops.Contiguous(b));
        this.a.Freeze();
        this.b.Freeze();
        this.r = Trained("lora_R", r);
        Scale = scale;
    }

    /// <summary>A = Σ_r V_rᵀ, [r, in], frozen.</summary>
    public Tensor A => a.Value;

    /// <summary>B = U_r, [out, r], frozen.</summary>
    public Tensor B => b.Value;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [r];

    /// <inheritdoc/>
    public override long Bytes => base.Bytes + ((long)sizeof(float) * (A.Count + B.Count));

    /// <inheritdoc/>
    public override double Scale { get; }

    /// <inheritdoc/>
    public override int EffectiveRank => A.Shape[0];

    /// <summary>R A costs r² · in, next to nothing beside the product with x.</summary>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None) =>
        Ops.LoRALinear(x, weight, bias, Ops.MatMul(r.Value, A), B, Scale, activation);

    /// <inheritdoc/>
    public override (Tensor A, Tensor B) LowRank() => (A, Ops.MatMul(B, r.Value));

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() => [("lora_A", A), ("lora_B", B), ("lora_R", r.Value)];

    /// <inheritdoc/>
    public override void MoveTo(Device device)
    {
        base.MoveTo(device);
        a.MoveTo(device);
        b.MoveTo(device);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        a.Value.Dispose();
        b.Value.Dispose();
        base.Dispose();
    }
}
