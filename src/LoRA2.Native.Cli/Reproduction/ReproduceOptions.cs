using System.CommandLine;
using System.Globalization;
using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Experiments.Reproduction;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Reproduction;

/// <summary>The options of <c>lora2 reproduce</c>.</summary>
internal sealed class ReproduceOptions
{
    public Argument<string> Table { get; } = new("table") { Description = string.Join("; ", PaperTable.All.Select(table => $"{table.Name}: {table.Title}")), HelpName = string.Join('|', PaperTable.All.Select(table => table.Name)) };

    public Option<string?> Model { get; } = new("--model") { Description = "HuggingFace model folder [none: the paper's figures and parameter counts alone]", HelpName = "DIR" };

    public Option<string?> Data { get; } = new("--data") { Description = "folder with a folder for each of GLUE's tasks", HelpName = "DIR" };

    public Option<string?> Output { get; } = new("--output") { Description = "where the runs and the results go, in a folder with the table's name", HelpName = "DIR" };

    public Option<string[]> Tasks { get; } = new("--tasks") { Description = "GLUE tasks [those in --data]", HelpName = "LIST", AllowMultipleArgumentsPerToken = true };

    public Option<string[]> Seeds { get; } = new("--seeds") { Description = "a run for each [1,2,3; 1 for figure3]", HelpName = "LIST", AllowMultipleArgumentsPerToken = true };

    public Option<int?> Epochs { get; } = NumberOption.Int("--epochs", "passes over the training data, rather than the paper's", 1);

    public Option<int?> MaxSteps { get; } = NumberOption.Int("--max-steps", "steps of a run, whatever the epochs", 1);

    public Option<string[]> With { get; } = new("--with") { Description = "option of finetune without its dashes for every run whose method has it, as in learning-rate=2e-3; may be repeated", HelpName = "NAME=VALUE" };

    public Option<int?> Parallel { get; } = NumberOption.Int("--parallel", "runs at a time, which share the threads [1]", 1, 1024);

    public Option<bool> Json { get; } = new("--json") { Description = "one JSON object on standard output in the end, all else on standard error" };

    public IEnumerable<Option> All => [Model, Data, Output, Tasks, Seeds, Epochs, MaxSteps, With, Parallel, Json];

    /// <exception cref="InputException">An option is wrong, or one is missing beside another.</exception>
    public (PaperPlan Plan, ComparisonRequest Request) Of(ParseResult parsed, ICellRunner runner)
    {
        string name = parsed.GetValue(Table)!;
        PaperTable table = PaperTable.All.FirstOrDefault(each => each.Name == name) ?? throw new InputException($"there is no '{name}'; {string.Join(", ", PaperTable.All.Select(each => each.Name))} can be reproduced");
        (string? model, string? data, string? output) = (parsed.GetValue(Model), parsed.GetValue(Data), parsed.GetValue(Output));
        if (model is null != data is null) throw new InputException(model is null ? "--data needs --model" : "--model needs --data, the folder with GLUE's tasks");
        if (model is not null && string.IsNullOrEmpty(output)) throw new InputException("--model needs --output, the folder for the runs and the results");
        if (model is not null && ModelLocation.Named(model) is { } folder && !Directory.Exists(folder)) throw new InputException($"model folder '{folder}' does not exist");
        int parallel = parsed.GetValue(Parallel) ?? 1;
        if (table == PaperTable.Table4 && parallel > 1) throw new InputException("table4 is about time: runs at the same time would disturb each other; leave --parallel out");
        string? models = model is null ? null : ModelLocation.Named(model) == QuickStart.Model ? model : Path.GetFullPath(model), datas = data is null ? null : Path.GetFullPath(data);
        var plan = new PaperPlan(
            table, models, datas, TasksOf(parsed, datas), SeedsOf(parsed, table), new RunLength(parsed.GetValue(Epochs), parsed.GetValue(MaxSteps)), OverridesOf(parsed, new RunOptions(runner)));
        return (plan, new ComparisonRequest(Path.GetFullPath(Path.Combine(output ?? ".", table.Name)), parallel, parsed.GetValue(Json)));
    }

    private RunOption[] OverridesOf(ParseResult parsed, RunOptions options)
    {
        RunOption[] overrides = [.. (parsed.GetValue(With) ?? []).Select(options.Parse)];
        if (overrides.Any(option => option.Name is "method" or "preset" or "from")) throw new InputException("--with can't change the method: the table says which");
        if (overrides.Any(option => option.Name is "epochs" or "max-steps")) throw new InputException("--with can't change the length: --epochs and --max-steps do");
        return overrides;
    }

    private GlueTask[] TasksOf(ParseResult parsed, string? data)
    {
        bool Has(GlueTask task) => data is null || File.Exists(Path.Combine(data, task.Name, task.Files["train"]));
        string[] names = Words(parsed.GetValue(Tasks));
        GlueTask[] tasks = names.Length == 0 ? [.. PaperFigures.TaskOrder.Select(GlueTask.Get).Where(Has)] : [.. names.Select(GlueTask.Get).Distinct()];
        if (tasks.Length == 0) throw new InputException($"--data '{data}': there is no folder of a GLUE task with its train.tsv");
        return Array.Find(tasks, task => !Has(task)) is { } missing ? throw new InputException($"--data '{data}': there is no {missing.Name}/{missing.Files["train"]}") : tasks;
    }

    private ulong[] SeedsOf(ParseResult parsed, PaperTable table)
    {
        string[] words = Words(parsed.GetValue(Seeds));
        if (words.Length == 0) return table == PaperTable.Figure3 ? [1] : [1, 2, 3];
        return [.. words.Select(word => ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed) ? seed : throw new InputException($"option --seeds is '{word}'; whole numbers were expected")).Distinct()];
    }

    private static string[] Words(string[]? lists) => [.. (lists ?? []).SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
