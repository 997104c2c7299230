using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;

namespace LoRA2.Native.Cli.Reproduction;

/// <summary>Ours beside the paper's, from the runs so far.</summary>
internal sealed class PaperResult
{
    private readonly PaperPlan plan;
    private readonly string[] paperShape;
    private readonly string[]? modelShape;

    /// <summary>Counts the parameters.</summary>
    public PaperResult(PaperPlan plan, RunOptions options)
    {
        this.plan = plan;
        string[] Count(EncoderConfig shape) => [.. plan.Table.Rows.Select(row => plan.ParametersOf(row, shape, options))];
        paperShape = Count(new DebertaV2Config());
        modelShape = plan.Model is null ? null : Count(EncoderConfigReader.FromFolder(ModelLocation.Named(plan.Model)!));
    }

    /// <summary>What there is to know beside the tables.</summary>
    public IReadOnlyList<string> NotesOn(ComparisonTable table)
    {
        var notes = new List<string> { "Ours, and in parentheses the paper's; — is what has not been run or is not known here." };
        notes.AddRange(plan.Table.Notes);
        if (plan.Model is not null) notes.Add($"{table.ScoreText} {table.ErrorText}");
        string[] differences = [.. plan.Differences];
        if (plan.Model is not null) notes.Add(differences.Length == 0 ? "Lengths and settings are the paper's, as far as they are known." : $"Not as in the paper: {string.Join("; ", differences)}.");
        foreach (CellOutcome outcome in table.Failed) notes.Add($"{outcome.Cell} failed: {outcome.Failure}");
        return notes;
    }

    /// <summary>The tables.</summary>
    public IReadOnlyList<ReproducedTable> Tables(ComparisonTable table) => plan.Table.Name switch
    {
        "table4" => [Parameters(), StepTimes.Of(table, plan.Table)],
        "figure3" => [Parameters(), .. RankMaps.Of(table)],
        _ => [Scores(table)],
    };

    private ReproducedTable Parameters() => new("Parameters in the adapter", ParameterHeaders, [.. plan.Table.Rows.Select((_, i) => ParameterCells(i))]);

    private ReproducedTable Scores(ComparisonTable table) => new(
        plan.Table.Title, [.. ParameterHeaders, .. plan.Tasks.Select(task => task.Name), "average"],
        [.. plan.Table.Rows.Select((row, i) => (IReadOnlyList<string>)[.. ParameterCells(i), .. ScoreColumns.Of(table, row.Paper)])]);

    private IReadOnlyList<string> ParameterHeaders => ["", "the paper's parameters", "counted for DeBERTa-v3-base", .. modelShape is null ? Array.Empty<string>() : ["counted for this model"]];

    private IReadOnlyList<string> ParameterCells(int row)
    {
        PaperRow paper = plan.Table.Rows[row].Paper;
        return [paper.Name, paper.Parameters ?? ReproducedTable.None, paperShape[row], .. modelShape is null ? Array.Empty<string>() : [modelShape[row]]];
    }
}
