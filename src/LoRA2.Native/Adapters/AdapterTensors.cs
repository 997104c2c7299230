using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Adapters;

/// <summary>The tensors of an adapter file as a method reads them; remembers which were.</summary>
public sealed class AdapterTensors
{
    private const string Prefix = PeftModules.Prefix;

    private readonly SafetensorsFile file;
    private readonly HashSet<string> unread;
    private readonly string bare;

    internal AdapterTensors(SafetensorsFile file, string module)
    {
        this.file = file;
        bare = $"{Prefix}{module}.";
        unread = [.. file.Entries.Select(entry => entry.Name)];
    }

    /// <summary>A tensor of a layer, in the current scope, by what follows the layer's name in the file.</summary>
    /// <exception cref="InputException">It is missing or has another shape.</exception>
    public Tensor Part(LinearLayer layer, string suffix, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(suffix);
        return Whole($"{Prefix}{layer.Name}.{suffix}", shape);
    }

    /// <summary>A tensor by its whole name, in the current scope.</summary>
    /// <exception cref="InputException">It is missing or has another shape.</exception>
    public Tensor Whole(string name, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!TryGet(name, out SafetensorsEntry? entry)) throw new InputException($"{file.Path}: tensor '{name}' {shape} is missing");
        unread.Remove(entry.Name);
        Tensor value = SafetensorsTensor.LoadFloats(file, entry);
        return value.Shape == shape ? value : throw new InputException($"{file.Path}: tensor '{name}' has shape {value.Shape}; {shape} was expected");
    }

    /// <summary>Whether the file has an adapter's tensors for a layer, beside what could be its own.</summary>
    public bool IsAdapted(LinearLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        string own = $"{Prefix}{layer.Name}.";
        if (own.StartsWith(bare, StringComparison.Ordinal) && !file.Entries.Any(entry => entry.Name.StartsWith(bare, StringComparison.Ordinal))) own = Prefix + own[bare.Length..];
        return file.Entries.Any(entry => entry.Name.StartsWith(own, StringComparison.Ordinal) && entry.Name[own.Length..] is not ("weight" or "bias" or "base_layer.weight" or "base_layer.bias"));
    }

    /// <summary>An error about the file.</summary>
    public InputException Error(string what)
    {
        ArgumentNullException.ThrowIfNull(what);
        return new($"{file.Path}: {what}");
    }

    /// <summary>Whether the file has a tensor of that whole name.</summary>
    public bool Has(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return TryGet(name, out _);
    }

    /// <summary>One extent of a layer's tensor, for what pruning has made smaller.</summary>
    /// <exception cref="InputException">The tensor is missing, or the extent is greater than <paramref name="most"/>.</exception>
    public int Extent(LinearLayer layer, string suffix, int axis, int most)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(suffix);
        string name = $"{Prefix}{layer.Name}.{suffix}";
        if (!TryGet(name, out SafetensorsEntry? entry)) throw new InputException($"{file.Path}: tensor '{name}' is missing");
        if (axis >= entry.Shape.Length || entry.Shape[axis] > most)
            throw new InputException($"{file.Path}: tensor '{name}' has shape {entry.ShapeText}; at most {most} ranks were expected from adapter_config.json");
        return (int)entry.Shape[axis];
    }

    /// <summary>Shape of a tensor of that whole name.</summary>
    /// <exception cref="InputException">It is missing.</exception>
    public int[] ShapeOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!TryGet(name, out SafetensorsEntry? entry)) throw new InputException($"{file.Path}: tensor '{name}' is missing");
        return Array.ConvertAll(entry.Shape.ToArray(), extent => checked((int)extent));
    }

    /// <summary>By its whole name; or without the module that a class with a head puts the encoder in, as PEFT names what is on a bare encoder.</summary>
    private bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SafetensorsEntry? entry) =>
        file.TryGetEntry(name, out entry) || (name.StartsWith(bare, StringComparison.Ordinal) && file.TryGetEntry(Prefix + name[bare.Length..], out entry));

    /// <param name="isForeign">Whether a tensor may stay unread, by its name.</param>
    /// <exception cref="InputException">Another tensor was not read.</exception>
    internal void RequireAllRead(Func<string, bool> isForeign)
    {
        unread.RemoveWhere(name => isForeign(name));
        if (unread.Count > 0) throw new InputException($"{file.Path}: tensor '{unread.Order(StringComparer.Ordinal).First()}' belongs to no layer of this model or its adapter_config.json");
    }
}
