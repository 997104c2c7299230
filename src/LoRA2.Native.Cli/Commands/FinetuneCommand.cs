using System.CommandLine;
using LoRA2.Native.Cli.Finetuning;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 finetune</c>: data in, adapter and score out.</summary>
internal static class FinetuneCommand
{
    public static Command Create(StandardStreams streams)
    {
        var options = new FinetuneOptions();
        var command = new ExampleCommand(
            "finetune",
            "Fine-tunes an encoder on labelled texts and saves the adapter, or the whole model with --method full. Without arguments: the quick start, an embedded model on support tickets (3 epochs of batch 16 at 6e-3, dropout 0.1, 64 tokens).",
            "lora2 finetune",
            "lora2 finetune --model deberta-v3-base --train train.csv --dev dev.csv --label-column intent --output intents",
            "lora2 finetune --model deberta-v3-base --task SST-2 --data glue/SST-2 --outer-rank 8 --rank 8 --target-rank 2",
            "lora2 finetune --model roberta-base --task STS-B --data glue/STS-B --method lora --learning-rate 5e-4 --json > result.json");
        foreach (Option option in options.All) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            FinetuneRequest request = FinetuneRequest.From(parsed, options);
            return new FinetuneRun(request, FinetuneData.Load(parsed, options), streams).Run();
        });
        return command;
    }
}
