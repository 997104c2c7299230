using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>A module's parameters and buffers to and from safetensors files, under PyTorch's names: a <c>state_dict</c> that PyTorch saved so is read, and the other way round.</summary>
public static class ModuleState
{
    /// <summary>Writes them to a file, which takes the old one's place when it is complete.</summary>
    /// <exception cref="InputException">A value is a NaN or an infinity, or the file can't be written.</exception>
    public static void Save(this Module module, string path)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        var writer = new SafetensorsWriter();
        foreach ((string name, Tensor value) in Tensors(module)) writer.Add(name, value);
        writer.Write(path);
    }

    /// <summary>Reads them from a file that has exactly these tensors; types are converted.</summary>
    /// <exception cref="InputException">A tensor is missing, is too many, or has another shape; or the file can't be read. The module is then as before.</exception>
    public static void Load(this Module module, string path)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        using var scope = new TensorScope();
        var read = new List<(Tensor To, Tensor From)>();
        var names = new HashSet<string>();
        foreach ((string name, Tensor value) in Tensors(module))
        {
            names.Add(name);
            if (!file.TryGetEntry(name, out SafetensorsEntry? entry)) throw new InputException($"{path}: tensor '{name}' is missing; the model has one of shape {value.Shape}");
            Tensor loaded = SafetensorsTensor.Load(file, entry);
            if (loaded.Shape != value.Shape) throw new InputException($"{path}: tensor '{name}' has shape {loaded.Shape}; the model's has {value.Shape}");
            read.Add((value, loaded));
        }

        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (!names.Contains(entry.Name)) throw new InputException($"{path}: tensor '{entry.Name}' is not one of the model's");
        }

        foreach ((Tensor to, Tensor from) in read) to.CopyFrom(from);
    }

    private static IEnumerable<(string Name, Tensor Value)> Tensors(Module module) =>
        module.NamedParameters.Select(named => (named.Name, named.Parameter.Value)).Concat(module.NamedBuffers);
}
