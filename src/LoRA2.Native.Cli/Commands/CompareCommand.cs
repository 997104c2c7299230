using System.CommandLine;
using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Cli.Commands;

/// <summary><c>lora2 compare</c>: methods × tasks × seeds from one JSON file.</summary>
internal static class CompareCommand
{
    public static Command Create(StandardStreams streams)
    {
        var file = new Argument<string>("file") { Description = "JSON file with model, data, tasks, seeds and methods", HelpName = "FILE" };
        var options = new ComparisonOptions("where the runs and the results go");
        var command = new ExampleCommand(
            "compare",
            "Fine-tunes with every method, on every GLUE task, from every seed that a JSON file names, and writes compare.md, compare.csv and compare.html with means and standard errors after each run. A run is a process of its own; one that is finished is not made again, one that was interrupted goes on. The README has the file's fields.",
            "lora2 compare methods.json --output comparison",
            "lora2 compare methods.json --output comparison --parallel 4",
            "lora2 compare methods.json --output comparison --json > comparison.json",
            "mpirun -n 4 lora2 compare methods.json --output comparison");
        command.Arguments.Add(file);
        foreach (Option option in options.All) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            streams.Share();
            var runner = new FinetuneProcesses();
            ComparisonPlan plan = ComparisonFile.Load(parsed.GetValue(file)!, runner);
            return new ComparisonSession(options.Of(parsed), runner, streams).Run(plan);
        });
        return command;
    }
}
