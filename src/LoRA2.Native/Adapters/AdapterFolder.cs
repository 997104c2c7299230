using System.Text;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Adapters;

/// <summary>
/// Adapters on disk, in PEFT's layout: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> with PEFT's names. The methods that PEFT has go
/// both ways between PEFT and here; the others use the same container with a <c>peft_type</c> of their own. The head always travels along.
/// </summary>
public static class AdapterFolder
{
    /// <summary>The config's file name.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>The tensors' file name.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    private const string Prefix = PeftModules.Prefix;

    /// <summary>Whether a folder holds an adapter.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>The shape of the adapters in a folder.</summary>
    /// <exception cref="InputException">The config is missing or damaged, or asks for something not supported.</exception>
    public static AdapterSettings SettingsIn(string folder) => AdapterConfigReader.Read(Path.Combine(folder, ConfigFile));

    /// <summary>The model that a folder's adapter belongs to, as its config names it, or null when it names none.</summary>
    /// <exception cref="InputException">The config is missing or damaged.</exception>
    public static string? BaseModelIn(string folder) => AdapterConfigReader.BaseModel(Path.Combine(folder, ConfigFile));

    /// <summary>Writes the adapters, what the method trains of the encoder, and the trained part of the head.</summary>
    public static void Save(SequenceClassifier model, AdapterSettings settings, string baseModel, string folder)
    {
        using var scope = new TensorScope();
        Adapter[] adapters = [.. model.Adapters()];
        var writer = new SafetensorsWriter();
        foreach (Adapter adapter in adapters)
        {
            foreach ((string suffix, Tensor value) in adapter.ToPeft()) writer.Add($"{Prefix}{adapter.Module}.{suffix}", value);
        }

        foreach ((string name, Tensor value) in settings.Method.SharedTensors(adapters)) writer.Add(name, value);
        foreach (Parameter parameter in model.EncoderParameters().Where(settings.Method.Trains)) writer.Add(Prefix + parameter.Name, parameter.Value);
        foreach (Parameter parameter in model.TrainedHeadParameters(settings.Head)) writer.Add(Prefix + parameter.Name, parameter.Value);

        Directory.CreateDirectory(folder);
        writer.Write(Path.Combine(folder, WeightsFile));
        AtomicFile.Write(Path.Combine(folder, ConfigFile), stream => stream.Write(Config(model, adapters, settings, baseModel)));
    }

    /// <summary>Loads an adapter onto a model and freezes the rest. The head's size is the adapter's: make the model with <see cref="LabelsIn"/>.</summary>
    /// <exception cref="InputException">A file is missing or damaged, a tensor fits no layer, or the config asks for something not supported.</exception>
    public static AdapterSettings Load(SequenceClassifier model, string folder)
    {
        AdapterSettings settings = SettingsIn(folder);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        using var scope = new TensorScope();
        model.FreezeBase();
        var tensors = new AdapterTensors(file);
        IReadOnlyList<LinearLayer> layers = settings.Method.UsesTargets ? TargetModules.Resolve(model, settings.Targets) : [];
        foreach ((LinearLayer layer, Adapter adapter) in layers.Zip(settings.Method.Read(tensors, layers)))
        {
            layer.Adapter?.Dispose();
            layer.Adapter = adapter;
        }

        foreach (Parameter parameter in model.EncoderParameters().Where(settings.Method.Trains)) Replace(parameter, tensors);
        foreach (Parameter parameter in model.Head.Parameters.Where(parameter => tensors.Has(Prefix + parameter.Name))) Replace(parameter, tensors);
        tensors.RequireAllRead();
        model.MoveTo(model.Device);
        return settings;
    }

    /// <summary>The number of outputs of a family's head that an adapter was saved with, or null when it holds no head.</summary>
    public static int? LabelsIn(string folder, EncoderConfig config)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        return file.TryGetEntry($"{Prefix}{config.ClassifierName}.weight", out SafetensorsEntry? weight) && weight.Shape.Length > 0 ? checked((int)weight.Shape[0]) : null;
    }

    /// <summary>Which of an adapter file's tensors are the head's (or another module's that PEFT saves whole), not the adapters'.</summary>
    /// <exception cref="InputException">The config is missing or damaged.</exception>
    public static Func<string, bool> SavedTensorsIn(string folder)
    {
        string[] names = AdapterConfigReader.SavedModules(Path.Combine(folder, ConfigFile));
        return tensor => PeftModules.IsSavedTensor(tensor, names);
    }

    private static void Replace(Parameter parameter, AdapterTensors tensors)
    {
        parameter.Replace(tensors.Whole(Prefix + parameter.Name, parameter.Value.Shape));
        parameter.Train();
    }

    private static byte[] Config(SequenceClassifier model, Adapter[] adapters, AdapterSettings settings, string baseModel)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("base_model_name_or_path", baseModel);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            settings.Method.WriteConfig(json, adapters);
            Strings(json, "modules_to_save", PeftModules.Trained(model.Head, settings.Head).Select(module => module.Name));
            json.WriteString("peft_type", settings.Method.PeftType);
            Strings(json, "target_modules", TargetModules.PatternsOf(model, [.. model.AdaptableLayers.Where(layer => layer.Adapter is not null)]));
            json.WriteString("task_type", "SEQ_CLS");
            json.WriteEndObject();
        }

        buffer.Write(Encoding.UTF8.GetBytes("\n"));
        return buffer.ToArray();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
