using System.Diagnostics.CodeAnalysis;
using LoRA2.Native.Encoders.Weights;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.PyTorch;

/// <summary>The weights of an older model folder: <c>pytorch_model.bin</c>, or the shards that <c>pytorch_model.bin.index.json</c> names.</summary>
internal sealed class TorchWeights : IWeightFiles
{
    /// <summary>The name of an unsharded model's file.</summary>
    public const string SingleFile = "pytorch_model.bin";

    private const string IndexFile = "pytorch_model.bin.index.json";

    private readonly List<TorchFile> files = [];

    private TorchWeights()
    {
    }

    public string Path => files[0].Path;

    public string Remark => "";

    /// <summary>Opens a folder's weights, if it has any of this kind.</summary>
    /// <exception cref="InputException">A file is missing, damaged, or holds anything but tensors.</exception>
    public static bool TryOpen(string folder, [NotNullWhen(true)] out TorchWeights? weights)
    {
        string single = System.IO.Path.Combine(folder, SingleFile), index = System.IO.Path.Combine(folder, IndexFile);
        bool isSingle = File.Exists(single);
        weights = isSingle || File.Exists(index) ? new TorchWeights() : null;
        if (weights is null) return false;
        try
        {
            foreach (string path in isSingle ? [single] : SafetensorsFolder.ShardsIn(index)) weights.files.Add(TorchFile.Open(path));
            return true;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public IEnumerable<string> Names => files.SelectMany(file => file.Tensors.Keys);

    public IWeight? Find(string name) => files.Find(file => file.Tensors.ContainsKey(name)) is { } found ? new Weight(found, name) : null;

    public void Dispose() => files.ForEach(file => file.Dispose());

    private sealed class Weight(TorchFile file, string name) : IWeight
    {
        private readonly TorchTensor tensor = file.Tensors[name];

        public string File => file.Path;

        public ReadOnlySpan<long> Shape => tensor.Shape;

        public Tensor Load()
        {
            if (tensor.Storage.Type is not { } type || !type.IsLoadableFloat()) throw new InputException($"{file.Path}: tensor '{name}' has a {tensor.Storage.TypeName}; one of float, half, bfloat16 or double was expected");
            return WeightBytes.ToTensor(file.Path, name, type, file.Read(name), tensor.Shape);
        }
    }
}
