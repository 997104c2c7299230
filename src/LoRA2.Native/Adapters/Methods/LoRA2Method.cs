using System.Buffers;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// LoRA2 (arXiv 2408.06854): y += s ((x u) v Λ 𝒰) 𝒱 with u [in, k], v [k, r], 𝒰 [r, k], 𝒱 [k, out] orthonormal or Gaussian, λ [r] zero and
/// s = alpha / r for the initial r. The loss gets γ · the mean over the matrices of R, a choice of equation 5's orthogonality losses.
/// </summary>
/// <remarks>
/// Where the authors' code departs from the paper the paper is followed: any k (theirs is 8), cost O(k d) (theirs forms Δ, O(d²)), a merge that
/// adds the product (theirs multiplies element by element), and gradients of the orthogonality losses (theirs has none between the planes). Files name
/// the tensors as their code does: lora_A = uᵀ, lora_B = vᵀ, lora_E = λ as a column, lora_aa = 𝒰ᵀ, lora_bb = 𝒱ᵀ. The authors start from Gaussian(0, 0.02²)
/// factors with one learning rate for all; the start and the rate here make the first steps do as much as LoRA's (<see cref="SingularValueRates"/>).
/// </remarks>
public sealed record LoRA2Method : LowRankMethod
{
    private static readonly IReadOnlyList<MethodOption> OwnOptions =
    [
        RankOption("r, the number of singular values at the start"), AlphaOption,
        MethodOption.Int<LoRA2Method>("outer-rank", "k: rank of the outer factors", method => method.OuterRank, (method, value) => method with { OuterRank = value }, 1, 65536),
        MethodOption.Choice<LoRA2Method>(
            "init", "of the factors", method => method.IsOrthonormal ? Orthonormal.Name : Orthonormal.Gaussian, (method, value) => method with { IsOrthonormal = value == Orthonormal.Name }, Orthonormal.Name, Orthonormal.Gaussian),
        MethodOption.Real<LoRA2Method>(
            "init-std", "standard deviation of the Gaussian start", method => method.InitialDeviation, (method, value) => method with { InitialDeviation = value }, 0, 1e6),
        MethodOption.Real<LoRA2Method>("gamma", "weight of the orthogonality loss", method => method.Gamma, (method, value) => method with { Gamma = value }, 0, 1e6),
        MethodOption.Choice<LoRA2Method>(
            "regulariser", "which orthogonality loss", method => OrthogonalityKinds.NameOf(method.Orthogonality), (method, value) => method with { Orthogonality = OrthogonalityKinds.Parse(value) }, [.. OrthogonalityKinds.All]),
        MethodOption.RealOr<LoRA2Method>(
            SingularValueRates.OptionName, SingularValueRates.OptionDescription, SingularValueRates.Matched, method => method.SingularValueRate, (method, value) => method with { SingularValueRate = value }, 0, 1e6),
        MethodOption.Choice<LoRA2Method>(
            "importance", "sensitivities that a singular value is judged by", method => method.Importance.ToString().ToLowerInvariant(), (method, value) => method with { Importance = value == "full" ? ImportanceMode.Full : ImportanceMode.Reduced }, "reduced", "full"),
    ];

    /// <summary>k: rank of the outer factors.</summary>
    public int OuterRank { get; init; } = 8;

    /// <summary>σ of the Gaussian initialisation.</summary>
    public double InitialDeviation { get; init; } = 0.02;

    /// <summary>Whether the factors start with orthonormal rows or columns, whichever are fewer: every R at its floor.</summary>
    public bool IsOrthonormal { get; init; } = true;

    /// <summary>γ, the weight of the orthogonality loss.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Which orthogonality loss.</summary>
    public OrthogonalityKind Orthogonality { get; init; } = OrthogonalityKind.All;

    /// <summary>
    /// Factor of the learning rate of λ; null for the one with which the first step from an orthonormal start does as much as LoRA's
    /// (<see cref="SingularValueRates.Matching"/>). The singular values start at 0, and until they have moved no other factor has a gradient.
    /// </summary>
    public double? SingularValueRate { get; init; }

    /// <summary>Which sensitivities a singular value is judged by when a budget prunes.</summary>
    public ImportanceMode Importance { get; init; } = ImportanceMode.Reduced;

    /// <inheritdoc/>
    public override string Name => "lora2";

    /// <inheritdoc/>
    public override string Title => "LoRA2";

    /// <inheritdoc/>
    public override string? PeftType => "LORA2";

    /// <inheritdoc/>
    public override bool HasSingularValues => true;

    /// <inheritdoc/>
    public override double RegulariserWeight => Orthogonality == OrthogonalityKind.None ? 0 : Gamma;

    /// <inheritdoc/>
    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    /// <inheritdoc/>
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        (int k, int r) = (OuterRank, Rank);
        Tensor all = Tensor.Empty([(layer.Inputs * k) + (2 * k * r) + (k * layer.Outputs)]);
        random.FillNormal(all.AsSpan<float>(), 0, (float)(IsOrthonormal ? 1 : InitialDeviation));
        int start = 0;
        Tensor Next(int rows, int columns)
        {
            Span<float> values = all.AsSpan<float>().Slice(start, rows * columns);
            start += rows * columns;
            if (IsOrthonormal) Orthonormal.Make(values, rows, columns);
            return Tensor.From((ReadOnlySpan<float>)values, [rows, columns]);
        }

        var factors = new LoRA2Factors(Next(layer.Inputs, k), Next(k, r), Tensor.Zeros([r]), Next(r, k), Next(k, layer.Outputs));
        all.Dispose();
        return new LoRA2Adapter(layer.Name, factors, Alpha, r) { Importance = Importance };
    }

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields) => this with
    {
        Rank = fields.Int("r", null, 1, MaxRank),
        OuterRank = fields.Int("k", null, 1, MaxRank),
        Alpha = ReadAlpha(fields),
    };

    /// <inheritdoc/>
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer)
    {
        int k = OuterRank;
        int r = tensors.Extent(layer, "lora_E", 0, Rank);
        Tensor Flipped(string suffix, int rows, int columns) => Ops.Contiguous(Ops.Transpose(tensors.Part(layer, suffix, [rows, columns])));
        var factors = new LoRA2Factors(
            Flipped("lora_A", k, layer.Inputs), Flipped("lora_B", r, k), Ops.Reshape(tensors.Part(layer, "lora_E", [r, 1]), r).Clone(), Flipped("lora_aa", k, r), Flipped("lora_bb", layer.Outputs, k));
        return new LoRA2Adapter(layer.Name, factors, Alpha, Rank) { Importance = Importance };
    }

    /// <inheritdoc/>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("k", OuterRank);
        json.WriteNumber("lora_alpha", Alpha);
        json.WriteNumber("lora_dropout", 0);
        json.WriteNumber("r", Rank);
    }

    /// <inheritdoc/>
    public override Tensor? Regulariser(IReadOnlyList<Adapter> adapters)
    {
        if (adapters.Count == 0 || Orthogonality == OrthogonalityKind.None) return null;
        LoRA2Factors[] factors = ArrayPool<LoRA2Factors>.Shared.Rent(adapters.Count);
        for (int i = 0; i < adapters.Count; i++) factors[i] = ((LoRA2Adapter)adapters[i]).Factors;
        Tensor loss = Ops.LoRA2Orthogonality(factors.AsSpan(0, adapters.Count), Orthogonality);
        ArrayPool<LoRA2Factors>.Shared.Return(factors, clearArray: true);
        return loss;
    }

    /// <inheritdoc/>
    public override double RateFactor(Adapter adapter, Parameter parameter)
    {
        LoRA2Factors factors = ((LoRA2Adapter)adapter).Factors;
        if (parameter.Value != factors.SingularValues) return 1;
        return SingularValueRate ?? SingularValueRates.Matching(factors.OuterRight.Shape[1], Rank, OuterRank);
    }
}

/// <summary>LoRA2's five factors on one layer.</summary>
public sealed class LoRA2Adapter : SingularValueAdapter
{
    private static readonly string[] PartNames = ["u", "v", "lam", "U", "V"];

    /// <summary>Takes over the factors. The scale is alpha over <paramref name="initialRank"/>, which pruning does not change.</summary>
    public LoRA2Adapter(string module, LoRA2Factors factors, double alpha, int initialRank)
        : base(module)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(factors);
        Factors = factors;
        Parameters = [.. factors.Zip(PartNames, (factor, part) => Trained(part, factor))];
        Scale = alpha / Math.Max(initialRank, 1);
    }

    /// <summary>The five tensors.</summary>
    public LoRA2Factors Factors { get; private set; }

    /// <summary>Which sensitivities a singular value is judged by.</summary>
    public ImportanceMode Importance { get; init; }

    /// <inheritdoc/>
    public override Tensor SingularValues => Factors.SingularValues;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override double Scale { get; }

    /// <inheritdoc/>
    public override void MoveTo(Device device)
    {
        base.MoveTo(device);
        Factors = new LoRA2Factors(Parameters[0].Value, Parameters[1].Value, Parameters[2].Value, Parameters[3].Value, Parameters[4].Value);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ScoredFactor> Scored() => Factors.Scored(Importance);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None) =>
        Ops.LoRA2Linear(x, weight, bias, Factors, Scale, activation);

    /// <summary>Rank k as (u v Λ 𝒰)ᵀ and 𝒱ᵀ, as the forward pass has it, when k ≤ r, else rank r as (u v)ᵀ and (Λ 𝒰 𝒱)ᵀ.</summary>
    public override (Tensor A, Tensor B) LowRank()
    {
        static Tensor Flip(Tensor matrix) => Ops.Contiguous(Ops.Transpose(matrix));
        (Tensor u, Tensor v, Tensor values, Tensor innerRight, Tensor outerRight) = Factors;
        if (Factors.OuterRank > Factors.Rank) return (Flip(Ops.MatMul(u, v)), Flip(Ops.MatMul(Ops.Multiply(innerRight, Ops.Reshape(values, values.Count, 1)), outerRight)));
        Tensor middle = Tensor.Empty([Factors.OuterRank, Factors.OuterRank], u.DType, u.Device), folded = Tensor.Empty(u.Shape, u.DType, u.Device);
        u.Device.Kernels.LoRA2Fold(Factors, middle, folded);
        return (Flip(folded), Flip(outerRight));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft()
    {
        static Tensor Flip(Tensor matrix) => Ops.Contiguous(Ops.Transpose(matrix));
        int[] kept = Kept();
        (Tensor u, Tensor v, Tensor values, Tensor innerRight, Tensor outerRight) = Factors;
        return
        [
            ("lora_A", Flip(u)),
            ("lora_B", RankSelection.Rows(Flip(v), kept)),
            ("lora_E", RankSelection.Rows(Ops.Reshape(values, values.Count, 1), kept)),
            ("lora_aa", RankSelection.Columns(Flip(innerRight), kept)),
            ("lora_bb", Flip(outerRight)),
        ];
    }
}
