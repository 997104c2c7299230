using System.CommandLine;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cli.Commands;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>A comparison's runs as processes of <c>lora2 finetune</c>, whose options are checked by that command itself.</summary>
internal sealed class FinetuneProcesses : ICellRunner
{
    private readonly FinetuneOptions options = new();
    private readonly Command command = new("finetune");
    private readonly Dictionary<string, Option> known;

    public FinetuneProcesses()
    {
        foreach (Option option in options.All) command.Options.Add(option);
        known = options.All.ToDictionary(option => option.Name[2..], StringComparer.Ordinal);
    }

    public RunOptionKind? KindOf(string option) => !known.TryGetValue(option, out Option? found) ? null : found switch
    {
        Option<bool> => RunOptionKind.Flag,
        Option<string[]> => RunOptionKind.List,
        Option<string?> => found == options.From ? RunOptionKind.Path : RunOptionKind.Text,
        _ => RunOptionKind.Number,
    };

    public void Check(RunOption option)
    {
        ParseResult parsed = command.Parse(Arguments([option]));
        if (parsed.Errors.Count > 0) throw new InputException(parsed.Errors[0].Message);
    }

    public AdapterSettings AdapterOf(GlueTask task, IReadOnlyList<RunOption> options)
    {
        ParseResult parsed = command.Parse(["--task", task.Name, "--data", ".", .. Arguments(options)]);
        return parsed.Errors.Count > 0 ? throw new InputException(parsed.Errors[^1].Message) : FinetuneCommand.Request(parsed, this.options).Request.Training.Adapter;
    }

    public string? FolderOf(string model) => model == QuickStart.ModelName && !Directory.Exists(model) ? QuickStart.Model : null;

    public CellExit Run(ComparisonPlan plan, Cell cell, int threads, string log, Action<int, int> step, CancellationToken cancellation)
    {
        bool hasThreads = cell.Options.Any(option => option.Name == "threads");
        string[] watched = ["--resume", "--json", "--stop-with-input", .. hasThreads ? Array.Empty<string>() : ["--threads", $"{threads}"]];
        return CellProcess.Run(["finetune", .. Arguments(plan, cell), .. watched], log, step, cancellation);
    }

    /// <summary>The arguments of <c>lora2 finetune</c> that make the run, without those that say how it is watched.</summary>
    public IReadOnlyList<string> Arguments(ComparisonPlan plan, Cell cell) =>
        ["--model", plan.Model, "--task", cell.Task.Name, "--data", plan.Data, "--seed", $"{cell.Seed}", "--output", cell.Folder, .. Arguments(cell.Options)];

    private IReadOnlyList<string> Arguments(IEnumerable<RunOption> asked) =>
    [
        .. asked.Where(option => option.Value is not null && !(IsFlag(option) && option.Value == "false")).Select(option => IsFlag(option) ? $"--{option.Name}" : $"--{option.Name}={option.Value}"),
    ];

    private bool IsFlag(RunOption option) => KindOf(option.Name) == RunOptionKind.Flag;
}
