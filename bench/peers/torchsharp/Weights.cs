using System.Runtime.InteropServices;
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoRA2.Native.Peers.Torch;

/// <summary>The parameters of an encoder by HuggingFace's names, random or from a safetensors file, and LoRA's beside them.</summary>
internal sealed class Weights
{
    private static readonly string[] Targets = ["query", "key", "value", "query_proj", "key_proj", "value_proj", "attention.output.dense", "intermediate.dense", "output.dense"];
    private readonly Dictionary<string, Parameter> parameters = [];

    public IEnumerable<KeyValuePair<string, Parameter>> Trainable => parameters.Where(pair => pair.Value.requires_grad);

    public Tensor this[string name] => parameters[name];

    public bool Has(string name) => parameters.ContainsKey(name);

    public static Weights Random(EncoderShape shape)
    {
        var weights = new Weights();
        using var _ = no_grad();
        (string root, int width) = (shape.Root, shape.Hidden);
        weights.Add($"{root}.embeddings.word_embeddings.weight", shape.Vocabulary, width);
        if (!shape.IsDeberta)
        {
            weights.Add($"{root}.embeddings.position_embeddings.weight", 514, width);
            weights.Add($"{root}.embeddings.token_type_embeddings.weight", 1, width);
        }

        weights.AddNorm($"{root}.embeddings.LayerNorm", width);
        for (int i = 0; i < shape.Layers; i++)
        {
            string layer = $"{root}.encoder.layer.{i}";
            foreach (string name in shape.Projections) weights.AddLinear($"{layer}.attention.self.{name}", width, width);
            weights.AddLinear($"{layer}.attention.output.dense", width, width);
            weights.AddNorm($"{layer}.attention.output.LayerNorm", width);
            weights.AddLinear($"{layer}.intermediate.dense", width, shape.Intermediate);
            weights.AddLinear($"{layer}.output.dense", shape.Intermediate, width);
            weights.AddNorm($"{layer}.output.LayerNorm", width);
        }

        if (shape.IsDeberta)
        {
            weights.Add($"{root}.encoder.rel_embeddings.weight", 2 * shape.Buckets, width);
            weights.AddNorm($"{root}.encoder.LayerNorm", width);
        }

        weights.AddLinear(shape.HeadDense, width, width);
        weights.AddLinear(shape.HeadOut, width, 2);
        return weights;
    }

    public static Weights FromFile(string path)
    {
        var weights = new Weights();
        foreach ((string name, Tensor value) in Read(path)) weights.parameters[name] = new Parameter(value, value.is_floating_point());
        return weights;
    }

    public void Freeze()
    {
        foreach (Parameter parameter in parameters.Values) parameter.requires_grad = false;
    }

    /// <summary>LoRA on every linear layer of the encoder; the classifier alone is trained beside it.</summary>
    public void Attach(int rank, IReadOnlyDictionary<string, Tensor>? saved = null)
    {
        Freeze();
        using var _ = no_grad();
        foreach (string layer in parameters.Keys.Where(name => name.Contains(".layer.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal)).Select(name => name[..^7]).ToArray())
        {
            if (!Targets.Any(target => layer.EndsWith("." + target, StringComparison.Ordinal))) continue;
            (long outputs, long inputs) = (parameters[layer + ".weight"].shape[0], parameters[layer + ".weight"].shape[1]);
            parameters[layer + ".lora_A"] = new Parameter(saved?[$"base_model.model.{layer}.lora_A.weight"] ?? ((rand(rank, inputs) * 2) - 1) / Math.Sqrt(inputs), true);
            parameters[layer + ".lora_B"] = new Parameter(saved?[$"base_model.model.{layer}.lora_B.weight"] ?? zeros(outputs, rank), true);
        }

        foreach (string name in parameters.Keys.Where(name => name.StartsWith("classifier.", StringComparison.Ordinal)).ToArray())
            parameters[name] = new Parameter(saved?["base_model.model." + name] ?? parameters[name].detach(), true);
    }

    public void ToBFloat16()
    {
        using var _ = no_grad();
        foreach ((string name, Parameter value) in parameters.ToArray()) parameters[name] = new Parameter(value.to(ScalarType.BFloat16), value.requires_grad);
    }

    /// <summary>The tensors of a safetensors file.</summary>
    public static Dictionary<string, Tensor> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int start = 8 + checked((int)BitConverter.ToInt64(file));
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, start - 8));
        var tensors = new Dictionary<string, Tensor>();
        foreach (JsonProperty entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            int[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(value => value.GetInt32())];
            Span<byte> bytes = file.AsSpan(start + offsets[0], offsets[1] - offsets[0]);
            Tensor value = entry.Value.GetProperty("dtype").GetString() switch
            {
                "F32" => tensor(MemoryMarshal.Cast<byte, float>(bytes).ToArray()),
                "I64" => tensor(MemoryMarshal.Cast<byte, long>(bytes).ToArray()),
                string other => throw new NotSupportedException($"{path}: {entry.Name} is {other}"),
                null => throw new InvalidDataException(path),
            };
            tensors[entry.Name] = value.reshape([.. entry.Value.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt64())]);
        }

        return tensors;
    }

    private void Add(string name, params long[] shape) => parameters[name] = new Parameter(randn(shape) * 0.02, true);

    private void AddLinear(string name, long inputs, long outputs)
    {
        Add(name + ".weight", outputs, inputs);
        parameters[name + ".bias"] = new Parameter(zeros(outputs), true);
    }

    private void AddNorm(string name, long width)
    {
        parameters[name + ".weight"] = new Parameter(ones(width), true);
        parameters[name + ".bias"] = new Parameter(zeros(width), true);
    }
}
