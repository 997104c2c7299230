using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// VeRA (arXiv 2310.11454) in PEFT's convention: y += ((x (λ_d ∘ A)ᵀ) (λ_b ∘ B)ᵀ), without a scale. A [r, in] and B [out, r] are random, frozen and shared by all
/// layers, which take the first columns of A and the first rows of B that they need; only the vectors λ_d [r], 0.1 at the start, and λ_b [out], 0 at the
/// start, are trained.
/// </summary>
/// <remarks>
/// PEFT draws A and B anew whenever it loads an adapter, from <c>projection_prng_key</c> with PyTorch's generator, whatever the file has; so they are drawn the same way
/// here, bit for bit. A file that holds others is refused: it would mean something else there.
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

    /// <summary>PEFT's <c>projection_prng_key</c>, of which the generator takes the lower 32 bits; null until an adapter is made: then it is the run's seed.</summary>
    public ulong? ProjectionKey { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Adapter> Create(IReadOnlyList<LinearLayer> layers, ulong seed)
    {
        VeRAProjections shared = Projections(layers, ProjectionKey ?? (uint)seed);
        return [.. layers.Select(layer => new VeRAAdapter(layer, shared, Tensor.Full([Rank, 1], InitialD), Tensor.Zeros([layer.Outputs, 1])))];
    }

    /// <inheritdoc/>
    public override AdapterMethod ReadConfig(ConfigFields fields)
    {
        fields.Bool("save_projection", true);
        return this with { Rank = fields.Int("r", 256, 1, 65536), ProjectionKey = (ulong)fields.Number("projection_prng_key", 0, 0, 1L << 53) };
    }

    /// <inheritdoc/>
    public override IEnumerable<Adapter> Read(AdapterTensors tensors, IReadOnlyList<LinearLayer> layers)
    {
        VeRAProjections shared = Projections(layers, ProjectionKey ?? 0);
        foreach ((string name, Tensor drawn) in (ReadOnlySpan<(string, Tensor)>)[(SharedA, shared.A), (SharedB, shared.B)])
        {
            if (!tensors.Has(name)) continue;
            // A file may have them rounded to half precision.
            double bound = Math.Sqrt(6.0 / drawn.Shape[1]);
            if (System.Numerics.Tensors.TensorPrimitives.Distance<float>(tensors.Whole(name, drawn.Shape).AsSpan<float>(), drawn.AsSpan<float>()) > 0.01 * bound * Math.Sqrt(drawn.Count))
                throw tensors.Error($"tensor '{name}' is not what projection_prng_key {shared.Key} gives; PEFT would take the latter");
        }

        return [.. layers.Select(layer => new VeRAAdapter(
            layer, shared, Ops.Reshape(tensors.Part(layer, "vera_lambda_d", [Rank]), Rank, 1).Clone(), Ops.Reshape(tensors.Part(layer, "vera_lambda_b", [layer.Outputs]), layer.Outputs, 1).Clone()))];
    }

    /// <inheritdoc/>
    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<Adapter> adapters)
    {
        json.WriteNumber("d_initial", InitialD);
        json.WriteNumber("projection_prng_key", adapters.OfType<VeRAAdapter>().FirstOrDefault()?.Shared.Key ?? ProjectionKey ?? 0);
        json.WriteNumber("r", Rank);
        json.WriteBoolean("save_projection", true);
        json.WriteNumber("vera_dropout", 0);
    }

    /// <summary>Kaiming-uniform with gain √2, as PEFT has it: bounds √3 · √2 / √in and √3 · √2 / √r; A [r, largest in] first, then B [largest out, r].</summary>
    private VeRAProjections Projections(IReadOnlyList<LinearLayer> layers, ulong key)
    {
        var random = new MersenneTwister(key);
        Tensor a = Tensor.Empty([Rank, layers.Max(layer => layer.Inputs)]), b = Tensor.Empty([layers.Max(layer => layer.Outputs), Rank]);
        foreach (Tensor matrix in (ReadOnlySpan<Tensor>)[a, b])
        {
            double bound = Math.Sqrt(3) * (Math.Sqrt(2) / Math.Sqrt(matrix.Shape[1]));
            random.FillUniform(matrix.AsSpan<float>(), (float)-bound, (float)bound);
        }

        return new VeRAProjections(a, b, key);
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

    public VeRAProjections(Tensor a, Tensor b, ulong key)
    {
        Key = key;
        A = Kept(a);
        B = Kept(b);
    }

    public Tensor A { get; private set; }

    public Tensor B { get; private set; }

    /// <summary>What they were drawn from.</summary>
    public ulong Key { get; }

    /// <summary>Bytes of each user's share.</summary>
    public long BytesOfOne => sizeof(float) * (A.Count + (long)B.Count + slices.Values.Sum(slice => slice.Count)) / Math.Max(users, 1);

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
    public override long Bytes => base.Bytes + Shared.BytesOfOne;

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
