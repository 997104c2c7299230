using System.Text.Json;
using System.Xml.Linq;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>What a JSON object says, as a table: the report shows what the record keeps.</summary>
internal static class SettingsTable
{
    /// <param name="title">Over the table.</param>
    /// <param name="write">Writes the object's properties.</param>
    public static XElement Of(string title, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        using JsonDocument document = JsonDocument.Parse(buffer.ToArray());
        (string Name, string Value)[] settings = [.. Flat("", document.RootElement)];
        settings = [.. settings.Where(setting => setting.Value.Length > 0)];
        return Html.Figure(
            title, null,
            Html.Element(
                "table", Html.Class("settings"),
                Html.Element("tbody", settings.Select(setting => Html.Element("tr", Html.Element("th", Html.Attribute("scope", "row"), setting.Name), Html.Element("td", Html.Foreign(setting.Value)))))));
    }

    private static IEnumerable<(string Name, string Value)> Flat(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object) return value.EnumerateObject().SelectMany(property => Flat($"{name} {property.Name.Replace('_', ' ')}".Trim(), property.Value));
        return [(name, value.ValueKind == JsonValueKind.Array ? string.Join(", ", value.EnumerateArray().Select(item => item.ToString())) : value.ToString())];
    }
}
