using System.Text;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Adapters;

/// <summary>
/// Adapters on disk, in PEFT's layout: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> with PEFT's names. LoRA adapters go both
/// ways between PEFT and here; LoRA2 uses the same container with <c>peft_type</c> LORA2 and the authors' tensor names.
/// </summary>
public static class AdapterFolder
{
    /// <summary>The config's file name.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>The tensors' file name.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    private const string Prefix = "base_model.model.";

    /// <summary>Whether a folder holds an adapter.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>The shape of the adapters in a folder.</summary>
    /// <exception cref="InputException">The config is missing or damaged, or asks for something not supported.</exception>
    public static AdapterSettings SettingsIn(string folder) => AdapterConfigReader.Read(Path.Combine(folder, ConfigFile));

    /// <summary>The model that a folder's adapter belongs to, as its config names it, or null when it names none.</summary>
    /// <exception cref="InputException">The config is missing or damaged.</exception>
    public static string? BaseModelIn(string folder) => AdapterConfigReader.BaseModel(Path.Combine(folder, ConfigFile));

    /// <summary>Writes the adapters and the trained part of the head.</summary>
    public static void Save(SequenceClassifier model, AdapterSettings settings, string baseModel, string folder)
    {
        Directory.CreateDirectory(folder);
        using var scope = new TensorScope();
        var writer = new SafetensorsWriter();
        foreach (LinearLayer layer in model.AdaptableLayers)
        {
            if (layer.Adapter is not { } adapter) continue;
            foreach ((string suffix, Tensor value) in adapter.ToPeft()) writer.Add($"{Prefix}{layer.Name}.{suffix}", value);
        }

        foreach (LinearLayer layer in model.TrainedHeadLayers(settings.Head))
        {
            writer.Add(Prefix + layer.Weight.Name, layer.Weight.Value);
            writer.Add(Prefix + layer.Bias.Name, layer.Bias.Value);
        }

        writer.Write(Path.Combine(folder, WeightsFile));
        AtomicFile.Write(Path.Combine(folder, ConfigFile), stream => stream.Write(Config(model, settings, baseModel)));
    }

    /// <summary>Loads an adapter onto a model and freezes the rest. The head's size is the adapter's: make the model with <see cref="LabelsIn"/>.</summary>
    /// <exception cref="InputException">A file is missing or damaged, a tensor fits no layer, or the config asks for something not supported.</exception>
    public static AdapterSettings Load(SequenceClassifier model, string folder)
    {
        AdapterSettings settings = SettingsIn(folder);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        using var scope = new TensorScope();
        model.FreezeBase();
        var unused = file.Entries.Select(entry => entry.Name).ToHashSet();
        foreach (LinearLayer layer in TargetModules.Resolve(model, settings.Targets))
        {
            layer.Adapter?.Dispose();
            layer.Adapter = Read(file, layer, settings, unused);
        }

        LoadHead(model, file, unused);
        if (unused.Count > 0) throw new InputException($"{file.Path}: tensor '{unused.Order(StringComparer.Ordinal).First()}' belongs to no layer of this model or its adapter_config.json");
        return settings;
    }

    /// <summary>The number of the head's outputs that an adapter was saved with, or null when it holds no head.</summary>
    public static int? LabelsIn(string folder)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        SafetensorsEntry? bias = file.Entries.FirstOrDefault(entry => entry.Name is Prefix + "classifier.bias" or Prefix + "classifier.out_proj.bias");
        return bias is null ? null : checked((int)bias.ElementCount);
    }

    private static Adapter Read(SafetensorsFile file, LinearLayer layer, AdapterSettings settings, HashSet<string> unused)
    {
        Tensor Part(string suffix, Shape shape)
        {
            string name = $"{Prefix}{layer.Name}.{suffix}";
            unused.Remove(name);
            return Matched(file, name, shape);
        }

        if (settings.Method == AdapterMethod.LoRA)
        {
            return new LoRAAdapter(
                layer.Name, Part("lora_A.weight", [settings.Rank, layer.Inputs]), Part("lora_B.weight", [layer.Outputs, settings.Rank]), settings.Alpha);
        }

        (int k, int r) = (settings.OuterRank, settings.Rank);
        static Tensor Flip(Tensor stored) => Ops.Contiguous(Ops.Transpose(stored));
        string[] names = LoRA2Adapter.PeftSuffixes;
        var factors = new LoRA2Factors(
            Flip(Part(names[0], [k, layer.Inputs])), Flip(Part(names[1], [r, k])), Ops.Reshape(Part(names[2], [r, 1]), r).Clone(), Flip(Part(names[3], [k, r])), Flip(Part(names[4], [layer.Outputs, k])));
        return new LoRA2Adapter(layer.Name, factors, settings.Alpha, r);
    }

    private static void LoadHead(SequenceClassifier model, SafetensorsFile file, HashSet<string> unused)
    {
        foreach (LinearLayer layer in model.HeadLayers)
        {
            foreach (Parameter parameter in (ReadOnlySpan<Parameter>)[layer.Weight, layer.Bias])
            {
                string name = Prefix + parameter.Name;
                if (!unused.Remove(name)) continue;
                parameter.Replace(Matched(file, name, parameter.Value.Shape));
                parameter.Train();
            }
        }
    }

    private static Tensor Matched(SafetensorsFile file, string name, Shape shape)
    {
        if (!file.TryGetEntry(name, out SafetensorsEntry? entry)) throw new InputException($"{file.Path}: tensor '{name}' {shape} is missing");
        Tensor value = SafetensorsTensor.Load(file, entry);
        return value.Shape == shape ? value : throw new InputException($"{file.Path}: tensor '{name}' has shape {value.Shape}; {shape} was expected");
    }

    private static byte[] Config(SequenceClassifier model, AdapterSettings settings, string baseModel)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("base_model_name_or_path", baseModel);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            if (settings.Method == AdapterMethod.LoRA2) json.WriteNumber("k", settings.OuterRank);
            json.WriteNumber("lora_alpha", settings.Alpha);
            json.WriteNumber("lora_dropout", 0);
            Strings(json, "modules_to_save", ModulesToSave(model, settings.Head));
            json.WriteString("peft_type", settings.Method == AdapterMethod.LoRA2 ? "LORA2" : "LORA");
            json.WriteNumber("r", settings.Rank);
            Strings(json, "target_modules", TargetModules.PatternsOf(model, [.. model.AdaptableLayers.Where(layer => layer.Adapter is not null)]));
            json.WriteString("task_type", "SEQ_CLS");
            json.WriteEndObject();
        }

        buffer.Write(Encoding.UTF8.GetBytes("\n"));
        return buffer.ToArray();
    }

    /// <summary>The top-level modules of the trained head, as PEFT names them.</summary>
    private static IEnumerable<string> ModulesToSave(SequenceClassifier model, HeadTraining head) =>
        model.TrainedHeadLayers(head).Select(layer => layer.Name.Split('.') is ["bert", "pooler", ..] ? "pooler" : layer.Name.Split('.')[0]).Distinct();

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
