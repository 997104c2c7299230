using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Encoders.Weights;

/// <summary>The weights in a folder's safetensors files.</summary>
internal sealed class SafetensorsWeights(SafetensorsFolder folder) : IWeightFiles
{
    public string Path => folder.Files[0].Path;

    public string Remark => "";

    public IEnumerable<string> Names => folder.Entries.Select(entry => entry.Name);

    public IWeight? Find(string name) => folder.TryGet(name, out SafetensorsFile? file, out SafetensorsEntry? entry) ? new Weight(file, entry) : null;

    public void Dispose() => folder.Dispose();

    private sealed class Weight(SafetensorsFile file, SafetensorsEntry entry) : IWeight
    {
        public string File => file.Path;

        public ReadOnlySpan<long> Shape => entry.Shape;

        public Tensor Load() => SafetensorsTensor.LoadFloats(file, entry);
    }
}
