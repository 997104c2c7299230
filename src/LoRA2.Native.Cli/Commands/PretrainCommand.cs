using System.CommandLine;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 pretrain</c>: masked language modelling on plain text, from a model or from nothing.</summary>
internal static class PretrainCommand
{
    /// <summary>Share of the lines that are held out where no held-out text is given.</summary>
    private const int HeldOutOf = 20;

    public static Command Create(StandardStreams streams)
    {
        var options = new FinetuneOptions();
        var text = new Option<string>("--text") { Description = "text to learn from, a paragraph or sentence a line: .txt, or a column of .tsv, .csv or .jsonl", HelpName = "FILE", Required = true };
        var held = new Option<string?>("--held-out") { Description = "text that perplexity is measured on and the best weights are chosen by [a twentieth of the lines of --text]", HelpName = "FILE" };
        var scratch = new Option<bool>("--from-scratch") { Description = "begin with weights that are drawn: the model's folder needs a config.json and a tokenizer alone" };
        var command = new ExampleCommand(
            "pretrain",
            "Goes on with an encoder's pretraining on text of your own: hides words and learns to predict them. Writes an adapter, or with --method full the whole model, which finetune takes as its --model.",
            "lora2 pretrain --model bert-base-cased --text manuals.txt --method full --output bert-manuals",
            "lora2 pretrain --model deberta-v3-base --text notes.txt --method lora --epochs 1 --output notes-adapter",
            "lora2 pretrain --model tiny-config --text corpus.txt --from-scratch --max-length 128 --output tiny");
        Option[] others = [options.Data.Task, options.Data.Folder, options.Data.PairColumn, options.Data.LabelColumn, options.Data.LabelSeparator, options.Data.Map, options.Train, options.Development, options.Preset];
        command.Options.Add(text);
        command.Options.Add(held);
        command.Options.Add(scratch);
        string[] settings = [.. TaskKinds.Masked.Options.Select(option => "--" + option.Name)];
        foreach (Option option in options.All.Except(others).Where(option => !options.Data.KindSettings.Contains(option) || settings.Contains(option.Name))) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            streams.Share();
            TaskKind kind = options.Data.WithSettings(parsed, TaskKinds.Masked);
            bool fromScratch = parsed.GetValue(scratch);
            FinetuneRequest request = FinetuneRequest.ForPretraining(parsed, options, fromScratch).Shared(parsed, options, streams.Group);
            Dataset all = DatasetFile.Load(parsed.GetValue(text)!, options.Data.FileOptions(parsed, kind, null));
            Dataset? development = parsed.GetValue(held) is { } file ? DatasetFile.Load(file, options.Data.FileOptions(parsed, kind, null)) : null;
            if (development is null && all.Examples.Count < HeldOutOf)
                throw new InputException($"{parsed.GetValue(text)}: {all.Examples.Count} lines; at least {HeldOutOf} were expected, of which one in {HeldOutOf} is held out, or --held-out");
            Dataset train = development is null ? all.Part("", i => i % HeldOutOf != HeldOutOf - 1) : all;
            development ??= all.Part("held out of ", i => i % HeldOutOf == HeldOutOf - 1);
            return new FinetuneRun(request, new RunData("pretraining", train, development, null, kind.MetricsFor(0)) { Kind = kind }, streams).Run();
        });
        return command;
    }
}
