using System.CommandLine;
using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli;

/// <summary>The options that say which data: a GLUE task's folder, or files with named columns.</summary>
internal sealed class DataOptions
{
    public Option<string?> Task { get; } = new("--task") { Description = $"GLUE task: {string.Join(", ", GlueTask.All.Select(task => task.Name))}", HelpName = "NAME" };

    public Option<string?> Folder { get; } = new("--data") { Description = "the task's folder, as GLUE distributes it", HelpName = "DIR" };

    public Option<string?> TextColumn { get; } = new("--text-column") { Description = "column of the text [text, sentence or sentence1]", HelpName = "NAME" };

    public Option<string?> PairColumn { get; } = new("--pair-column") { Description = "column of the second text [text_pair or sentence2, if there is one]", HelpName = "NAME" };

    public Option<string?> LabelColumn { get; } = new("--label-column") { Description = "column of the label [label or score]", HelpName = "NAME" };

    public IEnumerable<Option> All => [Task, Folder, TextColumn, PairColumn, LabelColumn];

    /// <summary>The task, or null when none was named.</summary>
    /// <exception cref="InputException">Task or folder was given without the other, or beside a file.</exception>
    public GlueTask? TaskOf(ParseResult parsed, bool hasFile)
    {
        (string? task, string? folder) = (parsed.GetValue(Task), parsed.GetValue(Folder));
        if (task is null && folder is null) return null;
        if (hasFile) throw new InputException("give either --task and --data, or files of your own, not both");
        if (task is null) throw new InputException("--data needs --task, the name of the GLUE task in that folder");
        if (folder is null) throw new InputException("--task needs --data, the folder with the task's files");
        foreach (Option<string?> column in (ReadOnlySpan<Option<string?>>)[TextColumn, PairColumn, LabelColumn])
        {
            if (parsed.GetValue(column) is not null) throw new InputException($"{column.Name} is for files of your own; a GLUE task has its columns");
        }

        return GlueTask.Get(task);
    }

    /// <summary>How to read a file of the user's own.</summary>
    public DatasetOptions FileOptions(ParseResult parsed, bool regression, IReadOnlyList<string>? labels) => new()
    {
        TextColumn = parsed.GetValue(TextColumn),
        PairColumn = parsed.GetValue(PairColumn),
        LabelColumn = parsed.GetValue(LabelColumn),
        Regression = regression,
        LabelNames = regression ? null : labels,
    };
}
