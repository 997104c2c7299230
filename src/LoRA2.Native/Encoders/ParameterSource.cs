using System.Text;
using LoRA2.Native.Encoders.Weights;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Encoders;

/// <summary>
/// Where a model's parameters come from: its files, with what they lack of the head initialised as HuggingFace does, or all initialised.
/// </summary>
public sealed class ParameterSource
{
    private readonly IWeightFiles? files;
    private readonly IReadOnlyDictionary<string, Parameter> shared;
    private readonly string prefix;
    private readonly double initializerRange;
    private readonly ulong seed;
    private readonly bool isOptional;
    private readonly List<Parameter> made = [];
    private readonly List<string> initialised = [];
    private readonly Dictionary<string, string> lacking = [];
    private readonly HashSet<string> found = [];

    /// <param name="files">The files, or null: all is initialised.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="seed">What is initialised is drawn from it.</param>
    /// <param name="precision">That of products with the encoder's weights.</param>
    /// <param name="shared">Another model's frozen parameters by name, which stand for what the files have.</param>
    internal ParameterSource(IWeightFiles? files, EncoderConfig config, ulong seed, Precision precision, IReadOnlyDictionary<string, Parameter>? shared = null)
    {
        this.files = files;
        this.shared = shared ?? new Dictionary<string, Parameter>();
        prefix = config.Prefix;
        initializerRange = config.InitializerRange;
        this.seed = seed;
        Precision = precision;
    }

    private ParameterSource(ParameterSource encoder)
    {
        (files, shared, prefix, initializerRange, seed, made, initialised, lacking, found) = (encoder.files, encoder.shared, encoder.prefix, encoder.initializerRange, encoder.seed, encoder.made, encoder.initialised, encoder.lacking, encoder.found);
        isOptional = true;
    }

    /// <summary>The precision of matrix products with weights from here and in attention: the encoder's as the model was asked for, the head's float32.</summary>
    public Precision Precision { get; }

    /// <summary>Every parameter handed out, in order.</summary>
    internal IReadOnlyList<Parameter> Made => made;

    /// <summary>Names of those that the files lacked.</summary>
    internal IReadOnlyList<string> Initialised => initialised;

    /// <summary>What the files have in place of each of those, in words; empty for a model that is not from files.</summary>
    internal IReadOnlyDictionary<string, string> Lacking => lacking;

    /// <summary>What the files have and nobody asked for, in their order.</summary>
    internal IEnumerable<string> Unread => files?.Names.Where(name => !found.Contains(name)) ?? [];

    /// <summary>The same for a head: float32, and the files may lack a parameter or have it in another size, for another task.</summary>
    internal ParameterSource ForHead() => new(this);

    /// <summary>A parameter that was asked for before, for another place that it is used in too.</summary>
    /// <exception cref="InvalidOperationException">Nobody asked for it.</exception>
    public Parameter Shared(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return made.Find(parameter => parameter.Name == name) ?? throw new InvalidOperationException($"there is no parameter {name} yet");
    }

    /// <summary>Whether the files have a tensor of that name; false for a model that is not from files.</summary>
    public bool Has(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return files is not null && Candidates(name, null).Any(candidate => files.Find(candidate) is not null);
    }

    /// <summary>A parameter by its whole name.</summary>
    /// <param name="name">HuggingFace's name.</param>
    /// <param name="shape">The shape that the config says.</param>
    /// <param name="mean">The mean of its initial values.</param>
    /// <param name="deviation">The standard deviation of its initial values; null for the config's initializer_range.</param>
    /// <param name="oldName">A name that older files have for it.</param>
    /// <exception cref="InputException">The files lack it, or have it in another shape, and it is not the head's.</exception>
    public Parameter Parameter(string name, Shape shape, double mean = 0, double? deviation = null, string? oldName = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Make(name, oldName, shape, mean, deviation ?? initializerRange, -1);
    }

    /// <summary>An embedding table, [rows, width]; one row, a padding token's, starts as 0.</summary>
    /// <exception cref="InputException">As of <see cref="Parameter"/>.</exception>
    public Parameter Table(string name, int rows, int width, int zeroRow = -1)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Make(name, null, [rows, width], 0, initializerRange, zeroRow);
    }

    /// <summary>A linear layer: <c>name.weight</c> [outputs, inputs] and <c>name.bias</c> [outputs].</summary>
    /// <exception cref="InputException">As of <see cref="Parameter"/>.</exception>
    public LinearLayer Linear(string name, int inputs, int outputs, bool hasBias = true)
    {
        ArgumentNullException.ThrowIfNull(name);
        Parameter weight = Parameter($"{name}.weight", [outputs, inputs]);
        weight.Precision = Precision;
        return new LinearLayer(name, weight, hasBias ? Parameter($"{name}.bias", [outputs], 0, 0) : null);
    }

    /// <summary>A layer norm: <c>name.weight</c> and <c>name.bias</c>, which TensorFlow called gamma and beta.</summary>
    /// <exception cref="InputException">As of <see cref="Parameter"/>.</exception>
    public NormLayer Norm(string name, int width, double epsilon, bool hasBias = true)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new(Parameter($"{name}.weight", [width], 1, 0, $"{name}.gamma"), hasBias ? Parameter($"{name}.bias", [width], 0, 0, $"{name}.beta") : null, epsilon);
    }

    private Parameter Make(string name, string? oldName, Shape shape, double mean, double deviation, int zeroRow)
    {
        if (shared.TryGetValue(name, out Parameter? other) && other.Value.Shape == shape)
        {
            made.Add(other.Share());
            return made[^1];
        }

        Tensor? value = files is null ? null : Read(files, name, oldName, shape);
        if (value is null)
        {
            string missing = files is null ? "" : $"{files.Path}: tensor '{name}' {shape} is missing{files.Remark}";
            if (files is not null && !isOptional) throw new InputException(missing);
            initialised.Add(name);
            if (files is not null) lacking.TryAdd(name, missing);
            value = Initialise(name, shape, mean, deviation, zeroRow);
        }

        var parameter = new Parameter(name, value);
        made.Add(parameter);
        return parameter;
    }

    private Tensor? Read(IWeightFiles source, string name, string? oldName, Shape shape)
    {
        foreach (string candidate in Candidates(name, oldName))
        {
            if (source.Find(candidate) is not { } weight) continue;
            found.Add(candidate);
            bool same = weight.Shape.Length == shape.Rank;
            for (int i = 0; same && i < shape.Rank; i++) same = weight.Shape[i] == shape[i];
            if (same) return weight.Load();
            string text = $"[{string.Join(", ", weight.Shape.ToArray())}]";
            if (isOptional)
            {
                lacking[name] = $"{weight.File}: tensor '{candidate}' has shape {text}; {shape} was expected";
                return null;
            }

            throw new InputException($"{weight.File}: tensor '{candidate}' has shape {text}; {shape} was expected from config.json");
        }

        return null;
    }

    /// <summary>The name; without the encoder's prefix, as a bare encoder is saved; after <c>module.</c>, as PyTorch's data parallelism saves it; and the same of the old name.</summary>
    private IEnumerable<string> Candidates(string name, string? oldName)
    {
        foreach (string candidate in oldName is null ? [name] : (string[])[name, oldName])
        {
            yield return candidate;
            if (candidate.StartsWith(prefix + ".", StringComparison.Ordinal)) yield return candidate[(prefix.Length + 1)..];
            yield return "module." + candidate;
        }
    }

    private Tensor Initialise(string name, Shape shape, double mean, double deviation, int zeroRow)
    {
        Tensor value = Tensor.Full(shape, mean);
        Span<float> elements = value.AsSpan<float>();
        if (deviation > 0) new Philox(seed, Fnv(name)).FillNormal(elements, 0, deviation);
        if (zeroRow >= 0) elements.Slice(zeroRow * shape[1], shape[1]).Clear();
        return value;
    }

    /// <summary>A stream of its own for each name, so that one parameter's values don't depend on which others exist (FNV-1a).</summary>
    private static uint Fnv(string name)
    {
        uint hash = 2166136261;
        foreach (byte b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 16777619;
        return hash;
    }
}
