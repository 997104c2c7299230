using System.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Encoders;

/// <summary>
/// Where a model's parameters come from: safetensors files, with what they lack initialised as HuggingFace does, or all initialised.
/// </summary>
internal sealed class ParameterSource(SafetensorsFolder? files, string prefix, double initializerRange, ulong seed)
{
    private readonly List<Parameter> made = [];
    private readonly List<string> initialised = [];

    /// <summary>Every parameter handed out, in order.</summary>
    public IReadOnlyList<Parameter> Made => made;

    /// <summary>Names of those that the files lacked.</summary>
    public IReadOnlyList<string> Initialised => initialised;

    /// <summary>A parameter the files must have.</summary>
    public Parameter Required(string name, Shape shape, double mean = 0, double deviation = double.NaN, int zeroRow = -1) => Make(name, shape, mean, deviation, zeroRow, optional: false);

    /// <summary>A parameter of the head, which files may lack or have in another size (for another task).</summary>
    public Parameter Optional(string name, Shape shape, double deviation = double.NaN) => Make(name, shape, 0, deviation, -1, optional: true);

    public LinearLayer Linear(string name, int inputs, int outputs, bool optional = false)
    {
        Shape weight = [outputs, inputs];
        return optional
            ? new LinearLayer(name, Optional($"{name}.weight", weight), Optional($"{name}.bias", [outputs], 0))
            : new LinearLayer(name, Required($"{name}.weight", weight), Required($"{name}.bias", [outputs], 0, 0));
    }

    public NormLayer Norm(string name, int width, double epsilon) => new(Required($"{name}.weight", [width], 1, 0), Required($"{name}.bias", [width], 0, 0), epsilon);

    private Parameter Make(string name, Shape shape, double mean, double deviation, int zeroRow, bool optional)
    {
        if (double.IsNaN(deviation)) deviation = initializerRange;
        Tensor? value = files is null ? null : Read(files, name, shape, optional);
        if (value is null)
        {
            if (files is not null && !optional) throw new InputException($"{files.Files[0].Path}: tensor '{name}' {shape} is missing");
            initialised.Add(name);
            value = Initialise(name, shape, mean, deviation, zeroRow);
        }

        var parameter = new Parameter(name, value);
        made.Add(parameter);
        return parameter;
    }

    private Tensor? Read(SafetensorsFolder source, string name, Shape shape, bool optional)
    {
        foreach (string candidate in Candidates(name))
        {
            if (!source.TryGet(candidate, out SafetensorsFile? file, out SafetensorsEntry? entry)) continue;
            bool same = entry.Shape.Length == shape.Rank;
            for (int i = 0; same && i < shape.Rank; i++) same = entry.Shape[i] == shape[i];
            if (same) return SafetensorsTensor.Load(file, entry);
            if (optional) return null;
            throw new InputException($"{file.Path}: tensor '{candidate}' has shape {entry.ShapeText}; {shape} was expected from config.json");
        }

        return null;
    }

    /// <summary>The name; without the encoder's prefix, as a bare encoder is saved; and with the old names of the layer norm's parameters.</summary>
    private IEnumerable<string> Candidates(string name)
    {
        string old = name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);
        string[] names = name == old ? [name] : [name, old];
        foreach (string candidate in names)
        {
            yield return candidate;
            if (candidate.StartsWith(prefix + ".", StringComparison.Ordinal)) yield return candidate[(prefix.Length + 1)..];
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
