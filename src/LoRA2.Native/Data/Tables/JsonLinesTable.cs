using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>JSON Lines: one object a line; the first row's fields are the columns. Empty lines are passed over.</summary>
internal static class JsonLinesTable
{
    public static Table Read(string path)
    {
        string[]? columns = null;
        int headerLine = 0;
        var rows = new List<TableRow>();
        foreach ((int number, string line) in TextLines.Read(path))
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var structures = new Dictionary<string, string>(StringComparer.Ordinal);
            Dictionary<string, string?> row = ReadRow(path, number, line, structures);
            if (columns is null)
            {
                columns = [.. row.Keys];
                headerLine = number;
            }
            rows.Add(new TableRow(number, [.. columns.Select(row.GetValueOrDefault)]) { Structures = structures.Count == 0 ? null : [.. columns.Select(structures.GetValueOrDefault)] });
        }
        return Table.Of(path, headerLine, columns ?? [], rows);
    }

    private static Dictionary<string, string?> ReadRow(string path, int number, string line, Dictionary<string, string> structures)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InputException($"{path}, line {number}: {document.RootElement.ValueKind} found, expected one JSON object.");
            var row = new Dictionary<string, string?>(StringComparer.Ordinal);
            foreach (JsonProperty field in document.RootElement.EnumerateObject())
            {
                string? value = field.Value.ValueKind switch
                {
                    JsonValueKind.String => field.Value.GetString(),
                    JsonValueKind.Number => field.Value.GetRawText(),
                    JsonValueKind.True => "true",
                    JsonValueKind.False => "false",
                    _ => null,
                };
                if (field.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object) structures[field.Name] = field.Value.GetRawText();
                if (!row.TryAdd(field.Name, value))
                    throw new InputException($"{path}, line {number}: field {Quote.Name(field.Name)} appears twice, expected once.");
            }
            return row;
        }
        catch (JsonException e)
        {
            throw new InputException(
                $"{path}, line {number}: the line is not valid JSON (byte {(e.BytePositionInLine ?? 0) + 1}), expected one object.", e);
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{path}, line {number}: a string is not valid Unicode, expected JSON in UTF-8.", e);
        }
    }
}
