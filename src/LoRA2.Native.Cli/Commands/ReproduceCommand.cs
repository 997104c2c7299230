using System.CommandLine;
using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Cli.Reproduction;
using LoRA2.Native.Experiments.Reproduction;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 reproduce</c>: the paper's tables, ours beside the paper's.</summary>
internal static class ReproduceCommand
{
    public static Command Create(StandardStreams streams)
    {
        var options = new ReproduceOptions();
        var command = new ExampleCommand(
            "reproduce",
            "Makes the runs of a table or figure of the LoRA2 paper (arXiv 2408.06854) and shows ours beside the paper's figures, cell by cell, with exact parameter counts. With microsoft/deberta-v3-base it is the paper's experiment; --tasks, --seeds, --epochs, --max-steps and --with make it another, and are printed with it. Without a model: the paper's figures and the counts alone. Runs are resumed as those of compare.",
            "lora2 reproduce table2",
            "lora2 reproduce table1 --model deberta-v3-base --data glue --output reproduced --tasks MRPC,RTE --parallel 2",
            "lora2 reproduce figure3 --model deberta-v3-base --data glue --output reproduced --tasks CoLA --epochs 5 --with precision=bfloat16");
        command.Arguments.Add(options.Table);
        foreach (Option option in options.All) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var runner = new FinetuneProcesses();
            (PaperPlan plan, ComparisonRequest request) = options.Of(parsed, runner);
            return new PaperSession(plan, request, runner, streams).Run();
        });
        return command;
    }
}
