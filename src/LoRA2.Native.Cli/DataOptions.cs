using System.CommandLine;
using System.CommandLine.Parsing;
using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;

namespace LoRA2.Native.Cli;

/// <summary>The options that say which data, and what is to be learned of them: a GLUE task's folder, or files with named columns and the kind of task.</summary>
internal sealed class DataOptions
{
    public Option<string?> Task { get; } = new("--task")
    {
        Description = $"what is learned from files of your own: {string.Join(", ", TaskKinds.All.Select(kind => $"{kind.Name} ({kind.Title})"))} [{TaskKinds.Classification.Name}]; or with --data a GLUE task: {string.Join(", ", GlueTask.All.Select(task => task.Name))}",
        HelpName = "NAME",
    };

    public Option<string?> Folder { get; } = new("--data") { Description = "the GLUE task's folder, as GLUE distributes it", HelpName = "DIR" };

    public Option<string?> TextColumn { get; } = new("--text-column") { Description = "column of the text [text, sentence or sentence1]", HelpName = "NAME" };

    public Option<string?> PairColumn { get; } = new("--pair-column") { Description = "column of the second text [text_pair or sentence2, if there is one]", HelpName = "NAME" };

    public Option<string?> LabelColumn { get; } = new("--label-column") { Description = "column of the label or labels, or several with commas between, one a label or number [label, labels, score or scores]", HelpName = "NAME" };

    public Option<string?> LabelSeparator { get; } = new("--label-separator") { Description = "what stands between the labels of a text in .tsv and .csv [,]", HelpName = "TEXT" };

    public Option<string?> Map { get; } = new("--label-map")
    {
        Description = "JSON file of what the data's labels are called in the model, {\"pos\": \"POSITIVE\"}, or a config.json with id2label; names that differ in case, spaces, dashes and underscores alone need none",
        HelpName = "FILE",
    };

    /// <summary>The settings of all kinds of tasks, each once; for commands that train.</summary>
    public IReadOnlyList<Option<string?>> KindSettings { get; } =
        [.. TaskKinds.All.SelectMany(kind => kind.Options).GroupBy(option => option.Name).Select(named => new Option<string?>("--" + named.Key)
        {
            Description = string.Join("; ", named.Select(option => option.Description).Distinct()),
            HelpName = string.Join('|', named.SelectMany(option => option.ValueName.Split('|')).Distinct()),
        })];

    public IEnumerable<Option> All => [Task, Folder, TextColumn, PairColumn, LabelColumn, LabelSeparator, Map];

    /// <summary>The GLUE task, or null when none was named.</summary>
    /// <exception cref="InputException">Task or folder was given without the other, or beside a file.</exception>
    public GlueTask? TaskOf(ParseResult parsed, bool hasFile)
    {
        (string? task, string? folder) = (parsed.GetValue(Task), parsed.GetValue(Folder));
        if (folder is null && (task is null || TaskKinds.Of(task) is not null)) return null;
        if (hasFile && (folder is not null || (task is not null && GlueTask.Find(task) is not null))) throw new InputException("give either --task and --data, or files of your own, not both");
        if (task is null) throw new InputException("--data needs --task, the name of the GLUE task in that folder");
        GlueTask found = GlueTask.Find(task) ?? throw new InputException(
            $"task {Quote.Name(task)} is unknown, expected {string.Join(", ", TaskKinds.All)} for files of your own, or with --data one of {string.Join(", ", GlueTask.All.Select(known => known.Name))}.");
        if (folder is null) throw new InputException("--task needs --data, the folder with the task's files");
        foreach (Option<string?> option in (ReadOnlySpan<Option<string?>>)[TextColumn, PairColumn, LabelColumn, LabelSeparator, Map])
        {
            if (parsed.GetValue(option) is not null) throw new InputException($"{option.Name} is for files of your own; a GLUE task has its columns");
        }

        return found;
    }

    /// <summary>The kind of task that files of the user's own are for, with its settings.</summary>
    /// <exception cref="InputException">There is no such kind, or a setting is another kind's.</exception>
    public TaskKind KindOf(ParseResult parsed)
    {
        return WithSettings(parsed, parsed.GetValue(Task) is { } name ? TaskKinds.Named(name) : TaskKinds.Classification);
    }

    /// <summary>A kind of task with the settings that were given.</summary>
    /// <exception cref="InputException">A setting is another kind's.</exception>
    public TaskKind WithSettings(ParseResult parsed, TaskKind kind)
    {
        foreach (Option<string?> option in KindSettings)
        {
            if (parsed.GetResult(option) is not OptionResult { Implicit: false }) continue;
            TaskOption setting = kind.Options.FirstOrDefault(own => "--" + own.Name == option.Name) ?? throw new InputException(
                $"{option.Name} is not for --task {kind.Name}; it is for {string.Join(", ", TaskKinds.All.Where(other => other.Options.Any(own => "--" + own.Name == option.Name)))}");
            kind = setting.Apply(kind, parsed.GetValue(option)!);
        }

        return kind;
    }

    /// <summary>How to read a file of the user's own.</summary>
    public DatasetOptions FileOptions(ParseResult parsed, TaskKind kind, IReadOnlyList<string>? labels) => new()
    {
        TextColumn = parsed.GetValue(TextColumn),
        PairColumn = parsed.GetValue(PairColumn),
        LabelColumn = parsed.GetValue(LabelColumn),
        LabelSeparator = parsed.GetValue(LabelSeparator) is { Length: > 0 } separator ? separator : ",",
        Kind = kind,
        LabelNames = labels,
        LabelMap = parsed.GetValue(Map) is { } map ? LabelMap.Read(map) : null,
    };
}
