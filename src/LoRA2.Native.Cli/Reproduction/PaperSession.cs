using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Cli.Reporting;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Reproduction;

/// <summary>A reproduction from the plan to what a person sees in the end.</summary>
internal sealed class PaperSession(PaperPlan plan, ComparisonRequest request, RunOptions options, StandardStreams streams)
{
    private readonly TextWriter human = request.Json ? streams.Error : streams.Output;
    private readonly PaperResult result = new(plan, options);

    /// <summary>Makes the runs, if there is a model, and shows ours beside the paper's.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public int Run()
    {
        if (plan.Model is null)
        {
            Show(ComparisonTable.Of(plan.Comparison, []));
            return ExitCode.Done;
        }

        string[] files = [.. ((string[])["md", "csv", "html"]).Select(ending => Path.Combine(request.Output, $"{plan.Table.Name}.{ending}"))];
        (int code, ComparisonTable table) = new ComparisonSession(request, options, streams).Run(plan.Comparison, table =>
        {
            Write(files[0], Encoding.UTF8.GetBytes(Markdown(table)));
            Write(files[1], Encoding.UTF8.GetBytes(ComparisonCsv.Of(table)));
            Write(files[2], PageOf(table));
        });
        if (code == ExitCode.Interrupted) return code;
        human.WriteLine();
        Show(table);
        human.WriteLine($"saved        {string.Join(", ", files)}");
        return code;
    }

    private void Show(ComparisonTable table)
    {
        human.Write(Markdown(table));
        if (!request.Json) return;
        using (var json = new Utf8JsonWriter(streams.OutputBytes, JsonLineWriter.Indented))
        {
            json.WriteStartObject();
            json.WriteString("command", "reproduce");
            json.WriteString("table", plan.Table.Name);
            json.WriteStartArray("tables");
            foreach (ReproducedTable each in result.Tables(table)) Write(json, each);
            json.WriteEndArray();
            Strings(json, "notes", result.NotesOn(table));
            json.WriteEndObject();
        }

        streams.OutputBytes.Write("\n"u8);
    }

    private string Markdown(ComparisonTable table)
    {
        var text = new StringBuilder($"# {plan.Comparison.Title}\n\n");
        if (plan.Model is not null) text.Append($"Model {plan.Model}; data {plan.Data}. {table.Finished} of {table.Outcomes.Count} runs are finished.\n\n");
        foreach (ReproducedTable each in result.Tables(table)) text.Append(each.Markdown).Append('\n');
        foreach (string note in result.NotesOn(table)) text.Append($"- {note}\n");
        return text.ToString();
    }

    private byte[] PageOf(ComparisonTable table)
    {
        XElement header = Html.Element(
            "header", Html.Element("p", Html.Class("kicker"), $"lora2 reproduce {plan.Table.Name}"), Html.Element("h1", plan.Comparison.Title),
            Html.Element("p", Html.Class("lead"), $"Model {plan.Model}; data {plan.Data}. {table.Finished} of {table.Outcomes.Count} runs are finished."));
        XElement notes = Html.Section("Notes", Html.Element("ul", result.NotesOn(table).Select(note => Html.Element("li", note))));
        return Page.Of(plan.Comparison.Title, [header, .. result.Tables(table).Select(each => each.Section), notes, .. ComparisonPage.Sections(table)]);
    }

    private static void Write(string path, byte[] content) => AtomicFile.Write(path, stream => stream.Write(content));

    private static void Write(Utf8JsonWriter json, ReproducedTable table)
    {
        json.WriteStartObject();
        json.WriteString("caption", table.Caption);
        Strings(json, "headers", table.Headers);
        json.WriteStartArray("rows");
        foreach (IReadOnlyList<string> row in table.Rows)
        {
            json.WriteStartArray();
            foreach (string cell in row) json.WriteStringValue(cell);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
