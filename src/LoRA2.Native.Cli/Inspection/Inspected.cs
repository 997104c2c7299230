using LoRA2.Native.Adapters;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Cli.Inspection;

/// <summary>What <c>lora2 inspect</c> found at a path.</summary>
/// <param name="Path">The path.</param>
/// <param name="Kind">model, adapter or file.</param>
/// <param name="Tensors">Every tensor, by name.</param>
/// <param name="Adapter">The adapter's shape, or null.</param>
/// <param name="BaseModel">The model the adapter belongs to, or null.</param>
/// <param name="Ranks">The adapted matrices, by name.</param>
/// <param name="AdapterParameters">Values that belong to an adapter, not to a head.</param>
internal sealed record Inspected(
    string Path, string Kind, IReadOnlyList<InspectedTensor> Tensors, AdapterSettings? Adapter, string? BaseModel, IReadOnlyList<MatrixRank> Ranks, long AdapterParameters = 0)
{
    public long Parameters => Tensors.Sum(tensor => tensor.Elements);

    public long Bytes => Tensors.Sum(tensor => tensor.Bytes);

    /// <summary>Reads a safetensors file, a model folder or an adapter folder.</summary>
    /// <exception cref="InputException">There is none of them, or it is damaged.</exception>
    public static Inspected Read(string path)
    {
        if (File.Exists(path))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            return new Inspected(path, "file", Of(file.Entries), null, null, MatrixRank.In(file));
        }

        if (!Directory.Exists(path)) throw new InputException($"'{path}' does not exist; a safetensors file, a model folder or an adapter folder was expected");
        if (AdapterFolder.Exists(path))
        {
            using SafetensorsFile file = SafetensorsFile.Open(System.IO.Path.Combine(path, AdapterFolder.WeightsFile));
            AdapterSettings settings = AdapterFolder.SettingsIn(path);
            InspectedTensor[] tensors = Of(file.Entries);
            Func<string, bool> isSaved = AdapterFolder.SavedTensorsIn(path);
            return new Inspected(
                path, "adapter", tensors, settings, AdapterFolder.BaseModelIn(path), MatrixRank.In(file, settings.Method.InitialRank),
                tensors.Where(tensor => !isSaved(tensor.Name)).Sum(tensor => tensor.Elements));
        }

        using SafetensorsFolder folder = SafetensorsFolder.Open(path);
        return new Inspected(path, "model", Of(folder.Entries), null, null, []);
    }

    private static InspectedTensor[] Of(IEnumerable<SafetensorsEntry> entries) =>
        [.. entries.Select(entry => new InspectedTensor(entry.Name, entry.Type.FormatName(), entry.Shape.ToArray(), entry.ElementCount, entry.ByteLength)).OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
}

/// <summary>One tensor of a file.</summary>
internal sealed record InspectedTensor(string Name, string DType, long[] Shape, long Elements, long Bytes);
