using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Tests.Golden;

/// <summary>A safetensors file of a trace.</summary>
internal sealed class TraceFile : IDisposable
{
    private readonly SafetensorsFile file;

    public TraceFile(string path) => file = SafetensorsFile.Open(path);

    public IEnumerable<string> Names => file.Entries.Select(entry => entry.Name);

    public bool Has(string name) => file.TryGetEntry(name, out _);

    public float[] Floats(string name)
    {
        SafetensorsEntry entry = file.GetEntry(name);
        float[] values = new float[entry.ElementCount];
        file.ReadFloat32(entry, values);
        return values;
    }

    public int[] Ints(string name)
    {
        SafetensorsEntry entry = file.GetEntry(name);
        int[] values = new int[entry.ElementCount];
        file.ReadInt32(entry, values);
        return values;
    }

    public int[] Shape(string name) => Array.ConvertAll(file.GetEntry(name).Shape.ToArray(), extent => checked((int)extent));

    /// <summary>The tensor, Float32 or Int32, in the current scope.</summary>
    public Tensor Tensor(string name) => SafetensorsTensor.Load(file, file.GetEntry(name));

    public void Dispose() => file.Dispose();
}
