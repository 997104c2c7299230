using System.Runtime.InteropServices;
using System.Text.Json;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>One sample of an op: PyTorch's arguments, outputs and gradients.</summary>
internal sealed record OpSample(string Op, string Id, JsonElement Line, SafetensorsFile File, string Prefix)
{
    /// <summary>The stored values of a tensor of the sample; null where it is not stored.</summary>
    public Tensor? Stored(string name)
    {
        if (!File.TryGetEntry(Prefix + name, out SafetensorsEntry? entry)) return null;
        int[] extents = [.. entry.Shape.ToArray().Select(extent => (int)extent)];
        ReadOnlySpan<byte> bytes = File.GetBytes(entry);
        return entry.Type switch
        {
            SafetensorsDType.F64 => Tensor.From(MemoryMarshal.Cast<byte, double>(bytes.ToArray().AsSpan()), new Shape(extents)),
            SafetensorsDType.I64 => Tensor.From(MemoryMarshal.Cast<byte, long>(bytes.ToArray().AsSpan()), new Shape(extents)),
            SafetensorsDType.Bool => Tensor.From(MemoryMarshal.Cast<byte, bool>(bytes.ToArray().AsSpan()), new Shape(extents)),
            _ => throw new InvalidDataException($"{File.Path}: tensor '{entry.Name}' is {entry.Type}"),
        };
    }

    public override string ToString() => $"{Op} {Id}";
}

/// <summary>The samples of the golden folder: of LORA2_GOLDEN, of shared/golden, or the small subset that is part of the repository.</summary>
internal static class OpSamples
{
    /// <summary>Every op of the index, with its samples.</summary>
    public static IEnumerable<(string Op, IReadOnlyList<OpSample> Samples)> All()
    {
        string folder = Folder();
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "index.json")));
        string together = Path.Combine(folder, "samples.safetensors");
        using SafetensorsFile? all = File.Exists(together) ? SafetensorsFile.Open(together) : null;
        foreach (JsonProperty op in index.RootElement.GetProperty("ops").EnumerateObject())
        {
            using SafetensorsFile? own = all is null ? SafetensorsFile.Open(Path.Combine(folder, op.Name + ".safetensors")) : null;
            yield return (op.Name, [.. op.Value.GetProperty("samples").EnumerateArray().Select(line =>
                new OpSample(op.Name, line.GetProperty("id").GetString()!, line, own ?? all!, own is null ? op.Name + "/" : ""))]);
        }
    }

    private static string Folder()
    {
        if (GoldenFolder.Path is { } golden)
        {
            if (File.Exists(Path.Combine(golden, "ops", "index.json"))) return Path.Combine(golden, "ops");
            if (File.Exists(Path.Combine(golden, "index.json"))) return golden;
        }

        return Path.Combine(SharedData.Repository, "tests", "Fixtures", "golden", "ops");
    }
}
