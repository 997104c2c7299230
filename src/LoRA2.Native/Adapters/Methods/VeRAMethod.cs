using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// VeRA (arXiv 2310.11454) in PEFT's convention: y += ((x (λ_d ∘ A)ᵀ) (λ_b ∘ B)ᵀ), without a scale. A [r, in] and B [out, r] are random, frozen and shared by all
/// layers, which take the first columns of A and the first rows of B that they need; only the vectors λ_d [r], 0.1 at the start, and λ_b [out], 0 at the
/// start, are trained.
/// </summary>
/// <remarks>
/// PEFT can leave A and B out of the file and make them again from the seed of PyTorch's generator (<c>save_projection</c> = false), which can't be done here: an
/// adapter must have been saved with them, and is.
/// </remarks>
public sealed record VeRAMethod : AdapterMethod
{
    private const string SharedA = "base_model.vera_A", SharedB = "base_model.vera_B";
    private const double InitialD = 0.1;

    private static readonly IReadOnlyList<MethodOption> OwnOptions =
        [MethodOption.Int<VeRAMethod>("rank", "rank of the shared random matrices", method => method.Rank, (method, value) => method with { Rank = value }, 1, 65536)];

    /// <summary>r.</summary>
    public int Rank { get; init; } = 256;

    /// <inheritdoc/>
    public override string Name => "vera";

    /// <inheritdoc/>
    public override string Title => "VeRA";

    /// <inheritdoc/>
    public override string? PeftType => "VERA";

    /// <inheritdoc/>
    public override double DefaultLearningRate => 4e-3;

    /// <inheritdoc/>
    public override int InitialRank => Rank;

    /// <inheritdoc/>
    public override IReadOnlyList<MethodOption> Options => OwnOptions;

    /// <summary>Kaiming-uniform with gain √2, as PEFT has it: bounds √(6 / in) and √(6 / r).</summary>
    public override IEnumerable<Adapter> Create(IReadOnlyList<LinearLayer> layers, ulong seed)
    {
        var random = new Philox(seed, 0x76657261_00000000ul);
        Tensor a = Tensor.Empty([Rank, layers.Max(layer => layer.Inputs)]), b = Tensor.Empty([layers.Max(layer => layer.Outputs), Rank]);
        double boundA = Math.Sqrt(6.0 / a.Shape[1]), boundB = Math.Sqrt(6.0 / Rank);
        random.FillUniform(a.AsSpan<float>(), (float)-boundA, (float)boundA);
        new Philox(seed, 0x76657261_00000001ul).FillUniform(b.AsSpan<float>(), (float)-boundB, (float)boundB);
        var shared = new VeRAProjections(a, b);
        return [.. layers.Select(layer => new VeRAAdapter(layer, shared, Tensor.Full([Rank, 1], InitialD), Tensor.Zeros([layer.Outputs, 1])))];
    }

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields)
    {
        fields.Require("save_projection", true, fallback: true);
        return this with { Rank = fields.Int("r", 256, 1, 65536) };
    }

    /// <inheritdoc/>
    public override IEnumerable<Adapter> Read(AdapterTensors tensors, IReadOnlyList<LinearLayer> layers)
    {
        int inputs = layers.Max(layer => layer.Inputs), outputs = layers.Max(layer => layer.Outputs);
        var shared = new VeRAProjections(tensors.Whole(SharedA, [Rank, inputs]), tensors.Whole(SharedB, [outputs, Rank]));
        return [.. layers.Select(layer => new VeRAAdapter(
            layer, shared, Ops.Reshape(tensors.Part(layer, "vera_lambda_d", [Rank]), Rank, 1).Clone(), Ops.Reshape(tensors.Part(layer, "vera_lambda_b", [layer.Outputs]), layer.Outputs, 1).Clone()))];
    }

    /// <inheritdoc/>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("d_initial", InitialD);
        json.WriteNumber("projection_prng_key", 0);
        json.WriteNumber("r", Rank);
        json.WriteBoolean("save_projection", true);
        json.WriteNumber("vera_dropout", 0);
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Value)> SharedTensors(IReadOnlyList<Adapter> adapters)
    {
        if (adapters.Count == 0) return [];
        VeRAProjections shared = ((VeRAAdapter)adapters[0]).Shared;
        return [(SharedA, shared.A), (SharedB, shared.B)];
    }
}

/// <summary>VeRA's random matrices, which live as long as an adapter that uses them.</summary>
internal sealed class VeRAProjections
{
    private readonly Dictionary<(int Axis, int Extent), Tensor> slices = [];
    private int users;

    public VeRAProjections(Tensor a, Tensor b)
    {
        A = Kept(a);
        B = Kept(b);
    }

    public Tensor A { get; private set; }

    public Tensor B { get; private set; }

    public void Use() => users++;

    /// <summary>A's first columns.</summary>
    public Tensor ForInputs(int inputs) => inputs == A.Shape[1] ? A : Slice(A, 1, inputs);

    /// <summary>B's first rows.</summary>
    public Tensor ForOutputs(int outputs) => outputs == B.Shape[0] ? B : Slice(B, 0, outputs);

    public void MoveTo(Device device)
    {
        if (device == A.Device) return;
        Tensor[] before = [A, B, .. slices.Values];
        slices.Clear();
        (A, B) = (Kept(A.To(device)), Kept(B.To(device)));
        foreach (Tensor tensor in before) tensor.Dispose();
    }

    public void Release()
    {
        if (--users > 0) return;
        foreach (Tensor tensor in (IEnumerable<Tensor>)[A, B, .. slices.Values]) tensor.Dispose();
    }

    private Tensor Slice(Tensor whole, int axis, int extent)
    {
        if (!slices.TryGetValue((axis, extent), out Tensor? slice)) slices[(axis, extent)] = slice = Kept(Ops.Slice(whole, axis, 0, extent).Clone());
        return slice;
    }

    /// <summary>Out of every scope, frozen.</summary>
    private static Tensor Kept(Tensor tensor)
    {
        var parameter = new Parameter("", tensor);
        parameter.Freeze();
        return parameter.Value;
    }
}

/// <summary>VeRA's two vectors on one layer.</summary>
public sealed class VeRAAdapter : LowRankAdapter
{
    private readonly Parameter d;
    private readonly Parameter b;
    private Tensor inputSide;
    private Tensor outputSide;

    internal VeRAAdapter(LinearLayer layer, VeRAProjections shared, Tensor d, Tensor b)
        : base(layer.Name)
    {
        Shared = shared;
        shared.Use();
        inputSide = shared.ForInputs(layer.Inputs);
        outputSide = shared.ForOutputs(layer.Outputs);
        this.d = Trained("vera_lambda_d", d);
        this.b = Trained("vera_lambda_b", b);
    }

    internal VeRAProjections Shared { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [d, b];

    /// <inheritdoc/>
    public override double Scale => 1;

    /// <inheritdoc/>
    public override int EffectiveRank => inputSide.Shape[0];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None)
    {
        (Tensor a, Tensor outer) = LowRank();
        return Ops.LoRALinear(x, weight, bias, a, outer, 1, activation);
    }

    /// <inheritdoc/>
    public override (Tensor A, Tensor B) LowRank() => (Ops.Multiply(inputSide, d.Value), Ops.Multiply(outputSide, b.Value));

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() =>
        [("vera_lambda_b", Ops.Reshape(b.Value, b.Count)), ("vera_lambda_d", Ops.Reshape(d.Value, d.Count))];

    /// <inheritdoc/>
    public override void MoveTo(Device device)
    {
        base.MoveTo(device);
        (int inputs, int outputs) = (inputSide.Shape[1], outputSide.Shape[0]);
        Shared.MoveTo(device);
        inputSide = Shared.ForInputs(inputs);
        outputSide = Shared.ForOutputs(outputs);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        Shared.Release();
    }
}
