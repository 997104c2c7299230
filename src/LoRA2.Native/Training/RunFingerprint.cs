using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training;

/// <summary>Everything that a run's bits depend on, part by part: two runs with the same are the same.</summary>
public sealed class RunFingerprint
{
    private const string Options = "options";
    private const string Data = "data";
    private const string Shape = "model";
    private const string Weights = "weights";
    private const string Arithmetic = "arithmetic";
    private const string Vocabulary = "tokenizer";

    private readonly SortedDictionary<string, string> parts;

    private RunFingerprint(SortedDictionary<string, string> parts) => this.parts = parts;

    /// <summary>The fingerprint of a run that is about to start.</summary>
    /// <param name="model">With what is trained already attached.</param>
    /// <param name="options">The options.</param>
    /// <param name="data">All data: for training, for development, further.</param>
    internal static RunFingerprint Of(SequenceClassifier model, TrainingOptions options, IEnumerable<TokenizedDataset> data) => new(new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        [Options] = TrainingJson.Text(options, model.Precision) + model.Config.Kind.SettingsText(),
        [Data] = string.Join(' ', data.Select(set => set.Fingerprint())),
        [Shape] = (model.Config with { LabelNames = null, UnknownFields = [] }).ToString(),
        [Weights] = OfFrozen(model),
        [Arithmetic] = ArithmeticOf(model),
        // Of words that the data do not have nothing is in the data's part; what is trained would answer them otherwise.
        [Vocabulary] = model.Folder?.Tokenizer ?? "",
    });

    /// <summary>What computes a model where it is, and rounds in its own way: the device, or the processor's vectors.</summary>
    public static string ArithmeticOf(SequenceClassifier model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Device != Device.Cpu) return $"device {model.Device.Name}";
        string vectors = $"vectors of {Compute.SimdPath}", products = Compute.ProductsOf(model.Precision);
        return model.Precision == Precision.Float32 ? vectors : $"{vectors} and {model.Precision.ToString().ToLowerInvariant()} by {products}";
    }

    /// <summary>As <see cref="ToString"/> gives it; of other text nothing is the same.</summary>
    public static RunFingerprint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonProperty part in document.RootElement.EnumerateObject()) parts[part.Name] = part.Value.GetString() ?? "";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            parts.Clear();
        }

        return new RunFingerprint(parts);
    }

    /// <summary>What is different in another run, for the end of a sentence about it; null when nothing is.</summary>
    public string? DifferenceFrom(RunFingerprint other)
    {
        ArgumentNullException.ThrowIfNull(other);
        string[] different = DifferentIn(other);
        if (different.Length == 0) return null;
        if (different is [Arithmetic] && other.parts.TryGetValue(Arithmetic, out string? there))
            return $"on {there}, here it is {parts[Arithmetic]}, which rounds differently; go on where it began (LORA2_SIMD and LORA2_BF16 choose among what a processor has), or start afresh";
        return $"with {Words(different)}; repeat it as it was, or start afresh";
    }

    /// <summary>What another run has otherwise, in a few words; null when nothing is.</summary>
    internal string? WhatDiffers(RunFingerprint other)
    {
        string[] different = DifferentIn(other);
        if (different is [Arithmetic] && other.parts.TryGetValue(Arithmetic, out string? there)) return $"other arithmetic ({there}, which rounds differently from {parts[Arithmetic]}; LORA2_SIMD and LORA2_BF16 choose among what a processor has)";
        return different.Length == 0 ? null : Words(different);
    }

    /// <summary>One line of JSON.</summary>
    public override string ToString()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string key, string value) in parts) json.WriteString(key, value);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Writes the parts as properties into an object that is open; the options only as a hash, for they stand beside.</summary>
    public void WriteProperties(Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        foreach ((string key, string value) in parts) json.WriteString(key, Written(key, value));
    }

    /// <summary>Whether the properties that <see cref="WriteProperties"/> wrote are of the same data.</summary>
    public bool HasDataOf(JsonElement properties) => IsSame(properties, Data);

    /// <summary>Whether they are of the same tokenizer.</summary>
    public bool HasTokenizerOf(JsonElement properties) => IsSame(properties, Vocabulary);

    /// <summary>Whether they are of the same options, those of the kind of task included.</summary>
    public bool HasOptionsOf(JsonElement properties) => IsSame(properties, Options);

    /// <summary>Whether they are of the same base model.</summary>
    public bool HasModelOf(JsonElement properties) => IsSame(properties, Weights) && IsSame(properties, Shape);

    /// <summary>The parts that another run has otherwise.</summary>
    private string[] DifferentIn(RunFingerprint other) => [.. parts.Keys.Where(key => !other.parts.TryGetValue(key, out string? value) || value != parts[key])];

    private static string Words(string[] different) =>
        string.Join(", ", different.Select(key => key switch { Options => "other options", Data => "other data", Shape => "a model of another shape", Weights => "other weights of the base model", Vocabulary => "another tokenizer", _ => "other arithmetic" }));

    private bool IsSame(JsonElement properties, string key) =>
        properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() == Written(key, parts[key]);

    private static string Written(string key, string value) => key == Options ? Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(value))) : value;

    /// <summary>What is trained is in a checkpoint itself; what is not decides as much, and is nowhere else.</summary>
    private static string OfFrozen(SequenceClassifier model)
    {
        using ModelAccess.Lease pass = model.Hold();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Parameter parameter in model.BaseParameters.Where(parameter => !parameter.IsTrainable))
        {
            using var scope = new TensorScope();
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(parameter.Name));
            hash.AppendData(MemoryMarshal.AsBytes<float>(parameter.Value.To(Device.Cpu).To(DType.Float32).AsSpan<float>()));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
