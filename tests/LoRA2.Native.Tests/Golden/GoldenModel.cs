using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Golden;

/// <summary>Loads a trace's model and its inputs.</summary>
internal static class GoldenModel
{
    /// <summary>
    /// The model of an encoder's folder, on the device of this assembly's tests. A folder without weights inside an encoder's folder has that one's, with its own head.safetensors,
    /// where there is one, laid over them.
    /// </summary>
    public static SequenceClassifier Load(string family, Precision precision = Precision.Float32)
    {
        SequenceClassifier model = OnCpu(family, precision);
        model.MoveTo(GoldenDevice.Open());
        return model;
    }

    /// <summary>The batch of an inputs file, in the current scope; <paramref name="prefix"/> precedes the names.</summary>
    public static EncoderBatch Batch(TraceFile inputs, string prefix = "") => new(
        inputs.Tensor(prefix + "input_ids"),
        inputs.Tensor(prefix + "attention_mask"),
        inputs.Has(prefix + "token_type_ids") ? inputs.Tensor(prefix + "token_type_ids") : null);

    /// <summary>
    /// Whether padding tokens can be compared too. DeBERTa's padded query rows have no attention at all up to transformers 4.47, and uniform
    /// attention from 4.48 on; that reaches padding's hidden states only, never the logits. In ModernBERT's local layers a padded row may see nothing but padding.
    /// </summary>
    public static bool ComparesPadding(string family, EncoderConfig config)
    {
        if (config is ModernBertConfig) return false;
        if (config is not DebertaV2Config) return true;
        string meta = GoldenTraces.At(family, "meta.json");
        if (!File.Exists(meta)) return false;
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(meta));
        return document.RootElement.TryGetProperty("versions", out JsonElement versions)
            && versions.TryGetProperty("transformers", out JsonElement version)
            && Version.TryParse(version.GetString(), out Version? made)
            && made < new Version(4, 48);
    }

    private static SequenceClassifier OnCpu(string family, Precision precision)
    {
        string folder = GoldenTraces.At(family);
        if (!File.Exists(Path.Combine(folder, "config.json"))) return OnCpu(Path.GetDirectoryName(family)!, precision);
        if (File.Exists(Path.Combine(folder, "model.safetensors"))) return SequenceClassifier.FromFolder(folder, GoldenTraces.Families(GoldenKind.Masked).Contains(family) ? config => config with { Task = TaskKinds.Masked } : null, precision: precision);
        using var composed = new TemporaryFolder();
        composed.Write("config.json", File.ReadAllBytes(Path.Combine(folder, "config.json")));
        using (new TensorScope())
        {
            var writer = new SafetensorsWriter();
            string head = Path.Combine(folder, "head.safetensors");
            using TraceFile weights = new(Path.Combine(folder, "..", "model.safetensors"));
            using TraceFile? over = File.Exists(head) ? new TraceFile(head) : null;
            foreach (string name in over?.Names ?? []) writer.Add(name, over!.Tensor(name));
            foreach (string name in weights.Names.Where(name => over?.Has(name) != true)) writer.Add(name, weights.Tensor(name));
            writer.Write(composed.File("model.safetensors"));
        }

        return SequenceClassifier.FromFolder(composed.Path, precision: precision);
    }
}
