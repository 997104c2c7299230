using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Parquet;

/// <summary>
/// The names of labels that HuggingFace's <c>datasets</c> keeps beside the numbers: in the file's metadata, under <c>huggingface</c>, as
/// <c>{"info": {"features": {"label": {"names": […], "_type": "ClassLabel"}}}}</c>.
/// </summary>
internal static class ClassLabels
{
    /// <summary>The names of each column that has some.</summary>
    public static Dictionary<string, string[]> In(string path, IReadOnlyDictionary<string, string>? metadata)
    {
        var found = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (metadata is null || !metadata.TryGetValue("huggingface", out string? text)) return found;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            if (!Inside(document.RootElement, "info", out JsonElement info) || !Inside(info, "features", out JsonElement features)) return found;
            foreach (JsonProperty feature in features.EnumerateObject())
            {
                if (feature.Value.ValueKind == JsonValueKind.Object && feature.Value.TryGetProperty("names", out JsonElement names) && names.ValueKind == JsonValueKind.Array
                    && names.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String))
                {
                    found[feature.Name] = [.. names.EnumerateArray().Select(name => name.GetString()!)];
                }
            }

            return found;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException($"{path}: the metadata 'huggingface' is not valid JSON; the features of a dataset were expected", e);
        }
    }

    /// <summary>Puts names in the place of a column's numbers; −1, for no label, stays.</summary>
    /// <exception cref="InputException">A number has no name.</exception>
    public static void Name(string path, string column, string[] names, string?[] fields)
    {
        for (int row = 0; row < fields.Length; row++)
        {
            if (fields[row] is not { } text || !int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) || number == -1) continue;
            fields[row] = number >= 0 && number < names.Length ? names[number] : throw new InputException($"{path}, row {row + 1}: {Quote.Plain(column)} is {number}; the file names {names.Length} labels");
        }
    }

    private static bool Inside(JsonElement element, string name, out JsonElement found)
    {
        found = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out found) && found.ValueKind == JsonValueKind.Object;
    }
}
