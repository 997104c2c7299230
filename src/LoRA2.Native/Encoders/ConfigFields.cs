using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Encoders;

/// <summary>The fields of a JSON object, each checked as it is read; remembers which were.</summary>
internal sealed class ConfigFields(string path, JsonElement root)
{
    private readonly HashSet<string> read = [];

    public InputException Error(string what) => new($"{path}: {what}");

    public string? String(string name, string? fallback)
    {
        if (Find(name) is not { } value) return fallback;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, value, "a string");
    }

    public string OneOf(string name, string fallback, ReadOnlySpan<string> allowed)
    {
        string value = String(name, fallback)!;
        return allowed.Contains(value) ? value : throw Error($"{name} '{value}' is not supported; {string.Join(", ", allowed.ToArray())} can be");
    }

    /// <summary>An array of strings, or one string with separators.</summary>
    public string[] Strings(string name, char separator)
    {
        if (Find(name) is not { } value) return [];
        if (value.ValueKind == JsonValueKind.String) return value.GetString()!.Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, value, "strings");
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, value, "strings"))];
    }

    public int Int(string name, int? fallback, int least, int most = int.MaxValue)
    {
        if (Find(name) is not { } value) return fallback ?? throw Error($"{name} is missing");
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number) || number < least || number > most)
            throw Wrong(name, value, most == int.MaxValue ? $"an integer of at least {least}" : $"an integer from {least} to {most}");
        return number;
    }

    /// <summary>As <see cref="Int"/>; null when it is missing.</summary>
    public int? OptionalInt(string name, int least, int most = int.MaxValue) => Find(name) is null ? null : Int(name, null, least, most);

    public double Number(string name, double fallback, double least, double most) => OptionalNumber(name, least, most) ?? fallback;

    public double? OptionalNumber(string name, double least, double most)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || !(number >= least && number <= most))
            throw Wrong(name, value, $"a number from {least} to {most}");
        return number;
    }

    /// <summary>Any value as it stands in the file, or null.</summary>
    public string? Raw(string name) => Find(name)?.GetRawText();

    public JsonElement? Object(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object ? value : throw Wrong(name, value, "an object");
    }

    public bool Bool(string name, bool fallback)
    {
        if (Find(name) is not { } found) return fallback;
        return found.ValueKind is JsonValueKind.True or JsonValueKind.False ? found.GetBoolean() : throw Wrong(name, found, "true or false");
    }

    /// <summary>Refuses any value but <paramref name="only"/>; a missing field counts as <paramref name="fallback"/>, or as right when that is null.</summary>
    public void Require(string name, bool only, bool? fallback = null)
    {
        bool value = Bool(name, fallback ?? only);
        if (value != only) throw Error($"{name} = {(value ? "true" : "false")} is not supported; only {(only ? "true" : "false")} is");
    }

    /// <summary>Refuses any value but this one; a missing field is right.</summary>
    public void RequireNumber(string name, double only)
    {
        if (Find(name) is not { } found) return;
        if (found.ValueKind != JsonValueKind.Number || found.GetDouble() != only) throw Error($"{name} = {found.GetRawText()} is not supported; only {only} is");
    }

    /// <summary>Refuses an object or array with anything in it.</summary>
    public void RequireEmpty(string name)
    {
        if (Find(name) is not { } found) return;
        bool empty = found.ValueKind switch
        {
            JsonValueKind.Object => !found.EnumerateObject().Any(),
            JsonValueKind.Array => found.GetArrayLength() == 0,
            _ => false,
        };
        if (!empty) throw Error($"{name} is not supported");
    }

    public string[] Unread(HashSet<string> harmless) =>
        [.. root.EnumerateObject().Select(property => property.Name).Where(name => !read.Contains(name) && !harmless.Contains(name)).Distinct()];

    private JsonElement? Find(string name)
    {
        read.Add(name);
        return root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private InputException Wrong(string name, JsonElement value, string expected)
    {
        string text = value.GetRawText();
        return Error($"{name} is {(text.Length > 40 ? text[..40] + "…" : text)}; {expected} was expected");
    }
}
