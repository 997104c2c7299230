using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Onnx;

/// <summary>
/// Makes a HuggingFace folder of an ONNX file: the weights of an encoder as PyTorch's exporter and Optimum write it, in float32, float16 or bfloat16, with or without files of
/// external data. The graph is read for weights, sizes and names, not run; one that was fused for ONNX Runtime or quantised is refused.
/// </summary>
public static class OnnxImport
{
    /// <summary>Imports one model. Everything is checked before the folder is written to.</summary>
    /// <param name="model">The <c>.onnx</c> file.</param>
    /// <param name="output">The folder; made when missing.</param>
    /// <param name="options">What the file doesn't say.</param>
    /// <exception cref="InputException">The file is damaged or no encoder, a weight is missing or has another shape, or what the file doesn't say was not given.</exception>
    public static OnnxImportResult Import(string model, string output, OnnxImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentException.ThrowIfNullOrEmpty(model);
        ArgumentException.ThrowIfNullOrEmpty(output);
        options ??= new OnnxImportOptions();
        OnnxGraph graph = OnnxReader.Read(model);
        RequirePlain(graph);
        var uses = new GraphUses(graph);
        using var weights = new GraphWeights(uses);
        var read = new GraphConfig(uses, weights);
        string? configFile = options.Config ?? Beside(model, ModelFolder.ConfigFile);
        var tokenizer = ImportedTokenizer.Find(model, options.Vocabulary);
        JsonObject json = configFile is null ? read.Read(options.Heads, tokenizer.PadId) : JsonInput.Tree(configFile, "a config.json as HuggingFace writes it was expected");
        if (configFile is null && weights.Find("classifier.weight") is { Shape.Length: 2 } classifier) Label(json, classifier.Shape[0]);
        EncoderConfig config = EncoderConfigReader.FromBytes(configFile ?? model, Encoding.UTF8.GetBytes(json.ToJsonString()));
        read.RequireHeads(config);
        tokenizer.Require(config);
        HashSet<string> names;
        using (SequenceClassifier whole = SequenceClassifier.FromWeights(config, weights)) names = [.. whole.BaseParameters.Select(parameter => parameter.Name)];
        Dictionary<string, GraphWeight> chosen = Collect(weights, config, names, out bool isBare);
        (SafetensorsWriter writer, SafetensorsDType type) = Writer(chosen, options.DType);
        json["architectures"] = new JsonArray(JsonValue.Create(config.ClassName + (isBare ? "Model" : "ForSequenceClassification")));
        json["torch_dtype"] = type switch { SafetensorsDType.F16 => "float16", SafetensorsDType.BF16 => "bfloat16", _ => "float32" };
        using var set = new FileSet(output, ModelFolder.ConfigFile);
        set.Add(SafetensorsFolder.SingleFile, writer.Write);
        foreach ((string name, byte[] bytes) in tokenizer.Files) set.Add(name, bytes);
        set.Add(ModelFolder.ConfigFile, ModelFolder.Text(json));
        set.Commit([SafetensorsFolder.IndexFile, .. ModelFolder.TokenizerFiles]);
        return new OnnxImportResult(config, configFile, tokenizer.Description, chosen.Count, chosen.Values.Sum(weight => weight.Tensor.Count), [.. weights.Unnamed.Select(weight => weight.ToString())]);
    }

    /// <summary>A file beside the model; Optimum and the hub keep models in a folder <c>onnx</c> below the rest.</summary>
    internal static string? Beside(string model, string name)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(model))!;
        string? above = Path.GetFileName(folder) == "onnx" ? Path.GetDirectoryName(folder) : null;
        return new[] { folder, above }.OfType<string>().Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists);
    }

    private static void RequirePlain(OnnxGraph graph)
    {
        string[] quantised = ["DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "QLinearMatMul"];
        foreach (OnnxNode node in graph.Nodes)
        {
            string? what = quantised.Contains(node.Op) ? "quantised" : node.Domain is "com.microsoft" ? "fused for ONNX Runtime" : null;
            if (what is not null)
                throw new InputException($"{graph.Path}: the graph is {what} (node {Quote.Plain(node.Label)} is {Quote.Plain(node.Op)}); one as PyTorch or Optimum exports it, neither optimised nor quantised, was expected");
        }
    }

    private static void Label(JsonObject config, long labels)
    {
        const long Most = 1 << 20;
        if (labels is 0 or > Most) return;
        var names = new JsonObject();
        for (long i = 0; i < labels; i++) names[i.ToString(System.Globalization.CultureInfo.InvariantCulture)] = $"LABEL_{i}";
        config["id2label"] = names;
    }

    /// <summary>
    /// The weights under HuggingFace's names: an encoder's alone as its bare class saves them, without a prefix; with a head, with the prefix; what the graph names besides
    /// (another task's head) under its own name.
    /// </summary>
    private static Dictionary<string, GraphWeight> Collect(GraphWeights weights, EncoderConfig config, HashSet<string> parameters, out bool isBare)
    {
        string prefix = config.Prefix + ".";
        bool IsHead(string name) => parameters.Contains(name) && !name.StartsWith(prefix, StringComparison.Ordinal);
        bool bare = isBare = !weights.Found.Values.Any(IsHead);
        var chosen = new Dictionary<string, GraphWeight>(StringComparer.Ordinal);
        foreach ((GraphWeight weight, string name) in weights.Found)
        {
            string without = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            chosen[bare || IsHead(name) ? without : prefix + without] = weight;
        }

        HashSet<OnnxTensor> taken = [.. weights.Found.Keys.Select(weight => weight.Tensor)];
        foreach ((string name, GraphWeight weight) in weights.Named)
        {
            if (weight.Rank == 0 && !taken.Contains(weight.Tensor)) chosen.TryAdd(name, weight);
        }

        return chosen;
    }

    private static (SafetensorsWriter Writer, SafetensorsDType Type) Writer(Dictionary<string, GraphWeight> weights, DType? dtype)
    {
        SafetensorsDType? wanted = dtype switch
        {
            null => null,
            DType.Float32 => SafetensorsDType.F32,
            DType.Float16 => SafetensorsDType.F16,
            DType.BFloat16 => SafetensorsDType.BF16,
            _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Weights are written as Float32, Float16 or BFloat16."),
        };
        var writer = new SafetensorsWriter();
        foreach ((string name, GraphWeight weight) in weights)
        {
            SafetensorsDType type = wanted ?? weight.Tensor.Type!.Value;
            writer.Add(name, type, weight.Shape, stream => Write(stream, weight, type));
        }

        return (writer, wanted ?? weights.Values.MaxBy(weight => weight.Tensor.Count)!.Tensor.Type!.Value);
    }

    private static void Write(Stream stream, GraphWeight weight, SafetensorsDType type)
    {
        ReadOnlyMemory<byte> bytes = weight.Read();
        if (type == weight.Tensor.Type)
        {
            stream.Write(bytes.Span);
            return;
        }

        float[] values = new float[weight.Tensor.Count];
        ElementConversion.ToFloat32(weight.Tensor.Type!.Value, bytes.Span, values);
        byte[] converted = new byte[(long)values.Length * type.Size()];
        ElementConversion.FromFloat32(values, type, converted);
        int at = ElementConversion.IndexOfNonFinite(type, converted);
        if (at >= 0) throw new InputException($"{weight.File}: tensor {Quote.Name(weight.Tensor.Name)} has the value {values[at]} at element {at}, too large for {type.FormatName()}");
        stream.Write(converted);
    }
}
