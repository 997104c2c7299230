using System.Text;
using System.Xml.Linq;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Experiments.Reporting;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>Ours beside the paper's, from the runs so far.</summary>
public sealed class PaperResult
{
    private readonly PaperPlan plan;
    private readonly string[] paperShape;
    private readonly string[]? modelShape;

    /// <summary>Counts the parameters.</summary>
    /// <param name="plan">What is reproduced.</param>
    /// <param name="runner">Who makes the runs.</param>
    /// <exception cref="InputException">The model's config cannot be read, or a target matches nothing.</exception>
    public PaperResult(PaperPlan plan, ICellRunner runner)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(runner);
        this.plan = plan;
        string[] Count(EncoderConfig shape) => [.. plan.Table.Rows.Select(row => plan.ParametersOf(row, shape, runner))];
        paperShape = Count(new DebertaV2Config());
        modelShape = plan.Model is null ? null : Count(EncoderConfigReader.FromFolder(runner.FolderOf(plan.Model) ?? plan.Model));
    }

    /// <summary>What there is to know beside the tables.</summary>
    public IReadOnlyList<string> NotesOn(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var notes = new List<string> { "Ours, and in parentheses the paper's; — is what has not been run or is not known here." };
        notes.AddRange(plan.Table.Notes);
        if (plan.Model is not null) notes.Add($"{table.ScoreText} {table.ErrorText}");
        string[] differences = [.. plan.Differences];
        if (plan.Model is not null) notes.Add(differences.Length == 0 ? "Lengths and settings are the paper's, as far as they are known." : $"Not as in the paper: {string.Join("; ", differences)}.");
        foreach (CellOutcome outcome in table.Failed) notes.Add($"{outcome.Cell} failed: {outcome.Failure}");
        return notes;
    }

    /// <summary>The tables.</summary>
    public IReadOnlyList<ReproducedTable> Tables(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return plan.Table.Name switch
        {
            "table4" => [Parameters(), StepTimes.Of(table, plan.Table)],
            "figure3" => [Parameters(), .. RankMaps.Of(table)],
            _ => [Scores(table)],
        };
    }

    /// <summary>Tables and notes as Markdown.</summary>
    public string Markdown(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var text = new StringBuilder($"# {plan.Comparison.Title}\n\n");
        if (plan.Model is not null) text.Append($"Model {plan.Model}; data {plan.Data}. {table.Finished} of {table.Outcomes.Count} runs are finished.\n\n");
        foreach (ReproducedTable each in Tables(table)) text.Append(each.Markdown).Append('\n');
        foreach (string note in NotesOn(table)) text.Append($"- {note}\n");
        return text.ToString();
    }

    /// <summary>Tables, notes and the runs as one self-contained page: the file's bytes.</summary>
    public byte[] Page(ComparisonTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        XElement header = Html.Element(
            "header", Html.Element("p", Html.Class("kicker"), $"lora2 reproduce {plan.Table.Name}"), Html.Element("h1", plan.Comparison.Title),
            Html.Element("p", Html.Class("lead"), $"Model {plan.Model}; data {plan.Data}. {table.Finished} of {table.Outcomes.Count} runs are finished."));
        XElement notes = Html.Section("Notes", Html.Element("ul", NotesOn(table).Select(note => Html.Element("li", note))));
        return Reporting.Page.Of(plan.Comparison.Title, [header, .. Tables(table).Select(each => each.Section), notes, .. ComparisonPage.Sections(table)]);
    }

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
