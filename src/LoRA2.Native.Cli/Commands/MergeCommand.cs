using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 merge</c>: base model and adapter to one HuggingFace folder.</summary>
internal static class MergeCommand
{
    private static readonly Dictionary<string, DType> Types = new() { ["float32"] = DType.Float32, ["float16"] = DType.Float16, ["bfloat16"] = DType.BFloat16 };

    public static Command Create(StandardStreams streams)
    {
        Option<string?> model = ModelLocation.ModelOption(), adapter = ModelLocation.AdapterOption();
        var output = new Option<string>("--output") { Description = "where the merged model goes", HelpName = "DIR", Required = true };
        var dtype = new Option<string>("--dtype") { Description = "element type of the weights [float32]", HelpName = string.Join('|', Types.Keys), DefaultValueFactory = _ => "float32" };
        Option<bool> strict = AdapterWarnings.StrictOption();
        var force = new Option<bool>("--force") { Description = "merge an adapter also when the model says that it is in its weights already" };
        var overwrite = new Option<bool>("--overwrite") { Description = "replace the model that is there" };
        var command = new ExampleCommand(
            "merge",
            "Adds an adapter's update to its base model's weights and writes a folder that HuggingFace transformers opens.",
            "lora2 merge --adapter lora2-out --output merged",
            "lora2 merge --model deberta-v3-base --adapter intents --output intents-merged --dtype float16")
        {
            model, adapter, output, dtype, strict, force, overwrite,
        };
        command.SetAction(parsed =>
        {
            string name = parsed.GetValue(dtype)!;
            if (!Types.TryGetValue(name, out DType type)) throw new InputException($"option --dtype is '{name}'; {string.Join(", ", Types.Keys)} can be");
            string folder = parsed.GetValue(output)!;
            ModelLocation location = ModelLocation.Find(parsed.GetValue(model), parsed.GetValue(adapter));
            if (location.Adapter is null) throw new InputException("--adapter is missing: there is nothing to merge");
            location.RequireOther(folder);
            OutputFolder.RequireFree(folder, parsed.GetValue(overwrite));
            if (!parsed.GetValue(force) && AdapterWarnings.IsMerged(location.Adapter, EncoderConfigReader.FromFolder(location.Model)))
                throw new InputException($"{location.Model}: the adapter {location.Adapter} is merged into this model already; --force merges it again");
            LoadedModel loaded = LoadedModel.Load(location.Model, location.Adapter);
            AdapterWarnings.Write(streams.Error, loaded.Adapter, location.Adapter, loaded.Model, parsed.GetValue(strict));
            using SequenceClassifier merged = loaded.Model;
            merged.Merge().Dispose();
            using IDisposable hold = OutputFolder.Hold(folder);
            ModelFolder.Save(merged, location.Model, folder, type, AdapterFolder.FingerprintOf(location.Adapter), RunFolder.Beside(loaded.Task));
            streams.Output.WriteLine($"written to {folder}: {merged.BaseParameters.Sum(parameter => (long)parameter.Count):N0} parameters in {name}");
            return ExitCode.Done;
        });
        return command;
    }
}
