using System.Text.Json;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Reproduction;

/// <summary>A reproduction as one JSON object.</summary>
public static class ReproductionJson
{
    /// <summary>Writes the object and a line feed.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="paper">What is reproduced.</param>
    /// <param name="result">Makes tables of the runs.</param>
    /// <param name="runs">The runs so far.</param>
    public static void Write(Stream stream, PaperTable paper, PaperResult result, ComparisonTable runs)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(paper);
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(runs);
        using (var json = new Utf8JsonWriter(stream, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteString("command", "reproduce");
            json.WriteString("table", paper.Name);
            json.WriteStartArray("tables");
            foreach (ReproducedTable each in result.Tables(runs)) Write(json, each);
            json.WriteEndArray();
            Strings(json, "notes", result.NotesOn(runs));
            json.WriteEndObject();
        }

        stream.Write("\n"u8);
    }

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
