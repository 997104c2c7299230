using System.Text;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.PyTorch;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tasks;
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

    /// <summary>What PEFT before 0.8 wrote.</summary>
    private const string PickledFile = "adapter_model.bin";

    private const string Prefix = PeftModules.Prefix;

    /// <summary>In the metadata of the tensors: the head's modules that training drew and left as they were.</summary>
    private const string FrozenKey = "lora2_frozen_modules";

    /// <summary>In the metadata of the tensors: <see cref="SequenceClassifier.Fingerprint"/> of the base model.</summary>
    private const string BaseKey = "lora2_base_weights";

    /// <summary>Whether a folder holds an adapter.</summary>
    public static bool Exists(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return File.Exists(Path.Combine(folder, ConfigFile));
    }

    /// <summary>The shape of the adapters in a folder.</summary>
    /// <exception cref="InputException">The config is missing or damaged, or asks for something not supported.</exception>
    public static AdapterSettings SettingsIn(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        AdapterSettings settings = AdapterConfigReader.Read(Path.Combine(folder, ConfigFile));
        if (settings.Head != HeadTraining.All || !File.Exists(Path.Combine(folder, WeightsFile))) return settings;
        // PEFT has to be told to load a module that was drawn and not trained; whoever trains on should not train it.
        return SafetensorsFile.ReadHeader(Path.Combine(folder, WeightsFile)).Metadata.ContainsKey(FrozenKey) ? settings with { Head = HeadTraining.Classifier } : settings;
    }

    /// <summary>The model that a folder's adapter belongs to, as its config names it, or null when it names none.</summary>
    /// <exception cref="InputException">The config is missing or damaged.</exception>
    public static string? BaseModelIn(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return AdapterConfigReader.BaseModel(Path.Combine(folder, ConfigFile));
    }

    /// <summary>What a folder's adapter is for, where its config's task_type leaves no doubt; else null.</summary>
    /// <exception cref="InputException">The config is missing or damaged.</exception>
    public static TaskKind? TaskIn(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string? type = AdapterConfigReader.TaskType(Path.Combine(folder, ConfigFile));
        return type is null ? null : TaskKinds.All.FirstOrDefault(kind => kind.IsSaidByClass && kind.PeftTaskType == type);
    }

    /// <summary>
    /// Writes the adapters, what the method trains of the encoder, the trained part of the head, and what of the head the base model's files lack: nothing that
    /// decides an answer is left to be drawn again. The files replace earlier ones together: a process killed meanwhile leaves the old adapter or the new one, or for an
    /// instant none, which the next to save there completes.
    /// </summary>
    /// <param name="model">With the adapters.</param>
    /// <param name="settings">Their shape.</param>
    /// <param name="baseModel">What the config calls the base model.</param>
    /// <param name="folder">Where to write; made when missing.</param>
    /// <param name="beside">What else belongs to the adapter, or null.</param>
    public static void Save(SequenceClassifier model, AdapterSettings settings, string baseModel, string folder, SavedBeside? beside = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(baseModel);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using ModelAccess.Lease pass = model.Hold();
        using var scope = new TensorScope();
        Adapter[] adapters = [.. model.Adapters()];
        HeadModule[] trained = [.. PeftModules.Trained(model.Head, settings.Head)];
        HeadModule[] frozen = [.. model.Head.Modules.Except(trained).Where(module => module.Parameters.Any(model.IsDrawn))];
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (model.Fingerprint is { } fingerprint) metadata[BaseKey] = fingerprint;
        model.Folder?.Describe(metadata);
        if (frozen.Length > 0) metadata[FrozenKey] = string.Join(',', frozen.Select(module => module.Path));
        var writer = new SafetensorsWriter(metadata);
        foreach (Adapter adapter in adapters)
        {
            foreach ((string suffix, Tensor value) in adapter.ToPeft()) writer.Add($"{Prefix}{model.Config.FileNameOf(adapter.Module)}.{suffix}", value);
        }

        foreach ((string name, Tensor value) in settings.Method.SharedTensors(adapters)) writer.Add(name, value);
        IEnumerable<Parameter> whole = [.. model.EncoderParameters().Where(settings.Method.Trains), .. trained.Concat(frozen).SelectMany(module => module.Parameters), .. model.Substituted];
        foreach (Parameter parameter in whole.Distinct()) writer.Add(Prefix + model.Config.FileNameOf(parameter.Name), parameter.Value);

        using var set = new FileSet(folder, ConfigFile);
        set.Add(WeightsFile, writer.Write);
        set.Add(ConfigFile, Config(model, adapters, settings, [.. trained, .. frozen], baseModel));
        foreach ((string name, byte[] bytes) in model.Config.Kind.FilesBeside(folder, model.Config)) set.Add(name, bytes);
        (beside ?? new SavedBeside()).Commit(set);
    }

    /// <summary>
    /// Loads an adapter onto a model and freezes the rest; of an adapter that was there before nothing stays. When it does not fit, the model is as it was. The head's size
    /// is the adapter's: make the model with <see cref="LabelsIn"/>.
    /// </summary>
    /// <exception cref="InputException">A file is missing or damaged, a tensor fits no layer, or the config asks for something not supported.</exception>
    public static AdapterSettings Load(SequenceClassifier model, string folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var reading = new FileSetReading(Path.Combine(folder, ConfigFile));
        AdapterSettings settings = SettingsIn(folder);
        using SafetensorsFile file = Open(folder);
        reading.RequireUnchanged();
        using var scope = new TensorScope();
        var tensors = new AdapterTensors(file, model.Config.Prefix);
        IReadOnlyList<LinearLayer> layers = settings.Method.UsesTargets ? settings.Selection.Resolve(model, settings.Targets, tensors.IsAdapted, Path.Combine(folder, ConfigFile)) : [];
        var read = new List<Adapter>();
        string[] contradictions;
        try
        {
            foreach (Adapter adapter in settings.Method.Read(tensors, layers)) read.Add(adapter);
            (Parameter Parameter, Tensor Value)[] substitutes = [.. Substitutes(model, settings, layers, tensors, Path.Combine(folder, ConfigFile))];
            // A head of another task is nothing to a model that has none.
            tensors.RequireAllRead(model.Head.Modules.Count > 0 ? _ => false : SavedTensorsIn(folder));
            contradictions = [.. AdapterContradictions.Of(model, settings, layers, folder)];
            string[] frozen = file.Metadata.TryGetValue(FrozenKey, out string? paths) ? paths.Split(',') : [];
            HashSet<Parameter> untrained = [.. model.Head.Modules.Where(module => frozen.Contains(module.Path)).SelectMany(module => module.Parameters)];
            using (model.Change())
            {
                model.Restore();
                model.FreezeBase();
                foreach ((LinearLayer layer, Adapter adapter) in layers.Zip(read)) layer.Adapter = adapter;
                foreach ((Parameter parameter, Tensor value) in substitutes)
                {
                    model.Keep(parameter);
                    parameter.Replace(value);
                    if (!untrained.Contains(parameter)) parameter.Train();
                }

                model.MoveTo(model.Device);
            }
        }
        catch
        {
            if (!model.AdaptedLayers.Any(layer => read.Contains(layer.Adapter))) read.ForEach(adapter => adapter.Dispose());
            throw;
        }

        string tensorsFile = Path.Combine(folder, WeightsFile);
        IEnumerable<string> others = file.Metadata.TryGetValue(BaseKey, out string? known) && model.Fingerprint is { } found && known != found
            ? [$"{tensorsFile}: the adapter was trained on a base model with other weights"]
            : [];
        string[] warnings = [.. contradictions, .. others, .. model.Folder?.Doubts(folder, tensorsFile, file.Metadata) ?? []];
        return settings with { Targets = [.. settings.Selection.IsPlain ? settings.Targets : layers.Select(layer => layer.Name)], Selection = TargetSelection.Plain, Warnings = warnings };
    }

    /// <summary>What tells an adapter's tensors from any other's.</summary>
    /// <exception cref="InputException">The file is missing or damaged.</exception>
    public static string FingerprintOf(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        using SafetensorsFile file = Open(folder);
        return file.ContentChecksum()[..32];
    }

    /// <summary>The number of outputs of a family's head that an adapter was saved with, or null when it holds no head. No tensor is read for it.</summary>
    /// <exception cref="InputException">The file is missing or damaged.</exception>
    public static int? LabelsIn(string folder, EncoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(config);
        string name = $"{Prefix}{config.Kind.ClassifierOf(config)}.weight", path = Path.Combine(folder, WeightsFile), pickle = Path.Combine(folder, PickledFile);
        if (File.Exists(path) || !File.Exists(pickle)) return SafetensorsFile.ReadHeader(path).ByName.TryGetValue(name, out SafetensorsEntry? weight) ? Rows(path, name, weight.Shape) : null;
        using TorchFile pickled = TorchFile.Open(pickle);
        return pickled.Tensors.TryGetValue(name, out TorchTensor? tensor) ? Rows(pickle, name, tensor.Shape) : null;
    }

    /// <summary>Which of an adapter file's tensors are the head's (or another module's that PEFT saves whole), not the adapters'.</summary>
    /// <exception cref="InputException">The config is missing or damaged.</exception>
    public static Func<string, bool> SavedTensorsIn(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string[] names = AdapterConfigReader.SavedModules(Path.Combine(folder, ConfigFile));
        return tensor => PeftModules.IsSavedTensor(tensor, names);
    }

    /// <summary>
    /// The tensors that stand for the base model's own: what the method trains of the encoder and what the config says was saved must be there, modules and the encoder's biases, and of another module of the head all or none;
    /// other modules are as far as they are there. PEFT calls the inside of an adapted layer <c>base_layer</c>.
    /// </summary>
    private static IEnumerable<(Parameter Parameter, Tensor Value)> Substitutes(SequenceClassifier model, AdapterSettings settings, IReadOnlyList<LinearLayer> layers, AdapterTensors tensors, string config)
    {
        string NameOf(Parameter parameter)
        {
            int dot = parameter.Name.LastIndexOf('.');
            string plain = Prefix + parameter.Name, inside = $"{Prefix}{parameter.Name[..dot]}.base_layer{parameter.Name[dot..]}";
            return !tensors.Has(plain) && tensors.Has(inside) ? inside : plain;
        }

        HashSet<Parameter> needed = [.. model.EncoderParameters().Where(settings.Method.Trains)];
        // A head that is half the adapter's and half the base model's was never trained. Biases alone are PEFT's for bias = all.
        IEnumerable<HeadModule> begun = model.Head.Modules.Where(module => module.Parameters.Any(parameter => !parameter.Name.EndsWith(".bias", StringComparison.Ordinal) && tensors.Has(NameOf(parameter))));
        HashSet<Parameter> whole = [.. begun.SelectMany(module => module.Parameters)];
        string[] saved = PeftModules.SavedFor(AdapterConfigReader.TaskType(config), AdapterConfigReader.SavedModules(config));
        string biases = AdapterConfigReader.Biases(config);
        Parameter[] trained = biases switch
        {
            "all" => [.. model.EncoderParameters().Where(parameter => parameter.Name.EndsWith(".bias", StringComparison.Ordinal))],
            "lora_only" => [.. layers.Select(layer => layer.Bias).OfType<Parameter>()],
            _ => [],
        };
        HashSet<Parameter> savedBiases = [.. trained];
        foreach (Parameter parameter in model.BaseParameters)
        {
            string name = NameOf(parameter);
            if (tensors.Has(name) || needed.Contains(parameter)) yield return (parameter, tensors.Whole(name, parameter.Value.Shape));
            else if (PeftModules.IsTensorOf(name, saved)) throw tensors.Error($"tensor {Quote.Name(name)} is missing; {ConfigFile} says that its module was saved");
            else if (savedBiases.Contains(parameter)) throw tensors.Error($"tensor {Quote.Name(name)} is missing; {ConfigFile} says that biases were trained (bias is {Quote.Name(biases)})");
            else if (whole.Contains(parameter)) throw tensors.Error($"tensor {Quote.Name(name)} is missing; the whole of its module or nothing was expected");
        }
    }

    private static int? Rows(string path, string name, ReadOnlySpan<long> shape)
    {
        if (shape.IsEmpty) return null;
        return shape[0] <= int.MaxValue ? (int)shape[0] : throw new InputException($"{path}: tensor {Quote.Name(name)} has {shape[0]} rows; a head has at most {int.MaxValue} outputs");
    }

    /// <summary>The tensors in memory: who cuts a file that is mapped ends the process that reads it, and an adapter may come from anybody.</summary>
    private static SafetensorsFile Open(string folder)
    {
        string path = Path.Combine(folder, WeightsFile), pickle = Path.Combine(folder, PickledFile);
        // Where there is none, the file's own opening says so.
        if (File.Exists(path)) return SafetensorsFile.Open(path, RegularFile.ReadAllBytes(path));
        if (!File.Exists(pickle)) return SafetensorsFile.Open(path);
        using TorchFile pickled = TorchFile.Open(pickle);
        return SafetensorsFile.Open(pickle, pickled.ToSafetensors());
    }

    private static byte[] Config(SequenceClassifier model, Adapter[] adapters, AdapterSettings settings, IReadOnlyList<HeadModule> saved, string baseModel)
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
            Strings(json, "modules_to_save", saved.Select(module => module.Name));
            json.WriteString("peft_type", settings.Method.PeftType);
            Strings(json, "target_modules", TargetModules.PatternsOf(model, [.. model.AdaptedLayers]));
            json.WriteString("task_type", model.Config.Kind.PeftTaskType);
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
