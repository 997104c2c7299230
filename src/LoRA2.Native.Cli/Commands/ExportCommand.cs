using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 export</c>: an adapter of any low-rank method as a plain PEFT LoRA.</summary>
internal static class ExportCommand
{
    public static Command Create(StandardStreams streams)
    {
        Option<string?> model = ModelLocation.ModelOption(), adapter = ModelLocation.AdapterOption();
        var output = new Option<string>("--output") { Description = "where the LoRA adapter goes", HelpName = "DIR", Required = true };
        Option<bool> strict = AdapterWarnings.StrictOption();
        var overwrite = new Option<bool>("--overwrite") { Description = "replace the adapter that is there" };
        var command = new ExampleCommand(
            "export",
            "Writes an adapter of any low-rank method as a plain LoRA that PEFT loads, with the same logits.",
            "lora2 export --adapter lora2-out --output for-peft",
            "lora2 export --model deberta-v3-base --adapter intents --output intents-lora")
        {
            model, adapter, output, strict, overwrite,
        };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(output)!;
            ModelLocation location = ModelLocation.Find(parsed.GetValue(model), parsed.GetValue(adapter));
            if (location.Adapter is null) throw new InputException("--adapter is missing: there is nothing to export");
            location.RequireOther(folder);
            OutputFolder.RequireFree(folder, parsed.GetValue(overwrite));
            LoadedModel loaded = LoadedModel.Load(location.Model, location.Adapter);
            AdapterWarnings.Write(streams.Error, loaded.Adapter, location.Adapter, loaded.Model, parsed.GetValue(strict));
            using SequenceClassifier classifier = loaded.Model;
            using IDisposable hold = OutputFolder.Hold(folder);
            AdapterSettings settings = PlainLoRA.Convert(classifier, loaded.Adapter!);
            AdapterFolder.Save(classifier, settings, AdapterFolder.BaseModelIn(location.Adapter) ?? Path.GetFullPath(location.Model), folder, RunFolder.Beside(loaded.Task));
            streams.Output.WriteLine($"written to {folder}: {settings.Method.Description}, from {loaded.Adapter!.Method.Title}");
            return ExitCode.Done;
        });
        return command;
    }
}
