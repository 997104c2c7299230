using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 finetune</c>: data in, adapter and score out.</summary>
internal static class FinetuneCommand
{
    public static Command Create(StandardStreams streams)
    {
        var options = new FinetuneOptions();
        var command = new ExampleCommand(
            "finetune",
            "Fine-tunes an encoder on labelled texts and saves the adapter, or the whole model with --method full. Without arguments: the quick start, all-MiniLM-L6-v2 on support tickets (5 epochs of batch 16 at 3e-3, dropout 0.1, 64 tokens).",
            "lora2 finetune",
            "lora2 finetune --model deberta-v3-base --train train.csv --dev dev.csv --label-column intent --output intents",
            "lora2 finetune --model deberta-v3-base --task SST-2 --data glue/SST-2 --outer-rank 8 --rank 8 --target-rank 2",
            "lora2 finetune --model roberta-base --task STS-B --data glue/STS-B --method lora --learning-rate 5e-4 --json > result.json");
        foreach (Option option in options.All) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            streams.Share();
            (parsed, FinetuneRequest request) = Request(parsed, options);
            return new FinetuneRun(request.Shared(parsed, options, streams.Group), DataLoading.Load(parsed, options, request.Model), streams).Run();
        });
        return command;
    }

    /// <summary>What was asked for, and the command line with what a preset adds to it.</summary>
    /// <exception cref="InputException">Two options contradict each other.</exception>
    public static (ParseResult Parsed, FinetuneRequest Request) Request(ParseResult parsed, FinetuneOptions options)
    {
        (parsed, IReadOnlyList<(string Option, string Value)> preset) = WithPreset(parsed, options);
        return (parsed, FinetuneRequest.From(parsed, options) with { Preset = preset });
    }

    /// <summary>The command line with the preset's options that it does not give itself.</summary>
    private static (ParseResult Parsed, IReadOnlyList<(string Option, string Value)> Preset) WithPreset(ParseResult parsed, FinetuneOptions options)
    {
        if (!parsed.GetValue(options.Preset)) return (parsed, []);
        string task = parsed.GetValue(options.Data.Task) ?? throw new InputException("--preset needs --task: there are settings for GLUE's tasks only");
        bool Given(string name) => parsed.GetResult(options.All.First(option => option.Name == name)) is { Implicit: false };
        (string Option, string Value)[] preset = [.. GluePreset.Of(GlueTask.Get(task).Name, parsed.GetValue(options.Method) ?? AdapterMethods.All[0].Name).Select(setting => ("--" + setting.Name, setting.Value!)).Where(setting => !Given(setting.Item1))];
        string[] args = [.. parsed.Tokens.Select(token => token.Value), .. preset.SelectMany(setting => (string[])[setting.Option, setting.Value])];
        return (parsed.RootCommandResult.Command.Parse(args), preset);
    }
}
