using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native;

/// <summary>The fields of a JSON object, each checked as it is read; remembers which were. A field whose value is null counts as missing.</summary>
/// <param name="path">The file, for messages.</param>
/// <param name="root">The object.</param>
public sealed class ConfigFields(string path, JsonElement root)
{
    private readonly string path = path ?? throw new ArgumentNullException(nameof(path));
    private readonly HashSet<string> read = [];
    private readonly SortedDictionary<string, string> values = new(StringComparer.Ordinal);

    /// <summary>What was found in the fields that were read as text, numbers, or true and false, or taken for what was missing; numbers as they are written everywhere.</summary>
    internal IReadOnlyDictionary<string, string> Values => values;

    /// <summary>An error in the file, to be thrown.</summary>
    public InputException Error(string what)
    {
        ArgumentNullException.ThrowIfNull(what);
        return new($"{path}: {what}");
    }

    /// <summary>A string.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public string? String(string name, string? fallback)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } value) return Noted(name, fallback);
        return Noted(name, value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, value, "a string"));
    }

    /// <summary>One of some strings.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public string OneOf(string name, string fallback, ReadOnlySpan<string> allowed)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(fallback);
        string value = String(name, fallback)!;
        return allowed.Contains(value) ? value : throw Error($"{name} '{value}' is not supported; {string.Join(", ", allowed.ToArray())} can be");
    }

    /// <summary>An array of strings, or one string with separators; none when it is missing.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public string[] Strings(string name, char separator)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] Split(JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.String) return value.GetString()!.Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, value, "strings");
            return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(name, value, "strings"))];
        }

        string[] strings = Find(name) is { } found ? Split(found) : [];
        Noted(name, string.Join(separator, strings.Order(StringComparer.Ordinal)));
        return strings;
    }

    /// <summary>An integer within bounds; without a <paramref name="fallback"/> it must be there.</summary>
    /// <exception cref="InputException">It is missing, out of its bounds, or something else.</exception>
    public int Int(string name, int? fallback, int least, int most = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } value) return Noted(name, fallback) ?? throw Error($"{name} is missing");
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number) || number < least || number > most)
            throw Wrong(name, value, most == int.MaxValue ? $"an integer of at least {least}" : $"an integer from {least} to {most}");
        return Noted(name, number);
    }

    /// <summary>An integer within bounds, or null when it is missing.</summary>
    /// <exception cref="InputException">It is out of its bounds, or something else.</exception>
    public int? OptionalInt(string name, int least, int most = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name) is null ? null : Int(name, null, least, most);
    }

    /// <summary>A number within bounds.</summary>
    /// <exception cref="InputException">It is out of its bounds, or something else.</exception>
    public double Number(string name, double fallback, double least, double most)
    {
        ArgumentNullException.ThrowIfNull(name);
        return OptionalNumber(name, least, most) ?? Noted(name, fallback);
    }

    /// <summary>A number within bounds, or null when it is missing.</summary>
    /// <exception cref="InputException">It is out of its bounds, or something else.</exception>
    public double? OptionalNumber(string name, double least, double most)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || !(number >= least && number <= most))
            throw Wrong(name, value, $"a number from {least} to {most}");
        return Noted(name, number);
    }

    /// <summary>Whether a field is there and a string.</summary>
    public bool IsText(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name) is { ValueKind: JsonValueKind.String };
    }

    /// <summary>An array of integers of at least 0, or one of them; empty when it is missing.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public int[] Ints(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } value) return [];
        int One(JsonElement item) => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number) && number >= 0 ? number : throw Wrong(name, value, "integers of at least 0");
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(One)] : [One(value)];
    }

    /// <summary>An array of numbers within bounds; empty when it is missing.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public IReadOnlyList<double> NumberList(string name, double least, double most)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } value) return [];
        double One(JsonElement item) => item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out double number) && number >= least && number <= most ? number : throw Wrong(name, value, $"numbers from {least} to {most}");
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(One)] : throw Wrong(name, value, "an array of numbers");
    }

    /// <summary>An object from names to numbers within bounds; empty when it is missing.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public IReadOnlyDictionary<string, double> Numbers(string name, double least, double most)
    {
        ArgumentNullException.ThrowIfNull(name);
        var numbers = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (JsonProperty pair in Object(name)?.EnumerateObject() ?? default(JsonElement.ObjectEnumerator))
        {
            if (pair.Value.ValueKind != JsonValueKind.Number || !pair.Value.TryGetDouble(out double number) || !(number >= least && number <= most)) throw Wrong($"{name}.{pair.Name}", pair.Value, $"a number from {least} to {most}");
            numbers[pair.Name] = number;
        }

        return numbers;
    }

    /// <summary>Any value as it stands in the file, or null.</summary>
    public string? Raw(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name)?.GetRawText();
    }

    /// <summary>An object, or null when it is missing.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public JsonElement? Object(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object ? value : throw Wrong(name, value, "an object");
    }

    /// <summary>true or false.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public bool Bool(string name, bool fallback)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } found) return Noted(name, fallback);
        return Noted(name, found.ValueKind is JsonValueKind.True or JsonValueKind.False ? found.GetBoolean() : throw Wrong(name, found, "true or false"));
    }

    /// <summary>Refuses any value but <paramref name="only"/>; a missing field counts as <paramref name="fallback"/>, or as right when that is null.</summary>
    /// <exception cref="InputException">It has another value.</exception>
    public void Require(string name, bool only, bool? fallback = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        bool value = Bool(name, fallback ?? only);
        if (value != only) throw Error($"{name} = {(value ? "true" : "false")} is not supported; only {(only ? "true" : "false")} is");
    }

    /// <summary>Refuses any value but this one; a missing field is right.</summary>
    /// <exception cref="InputException">It has another value.</exception>
    public void RequireNumber(string name, double only)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } found) return;
        if (found.ValueKind != JsonValueKind.Number || found.GetDouble() != only) throw Error($"{name} = {found.GetRawText()} is not supported; only {only} is");
    }

    /// <summary>Refuses an object or array with anything in it.</summary>
    /// <exception cref="InputException">It has something in it.</exception>
    public void RequireEmpty(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Find(name) is not { } found) return;
        bool empty = found.ValueKind switch
        {
            JsonValueKind.Object => !found.EnumerateObject().Any(),
            JsonValueKind.Array => found.GetArrayLength() == 0,
            _ => false,
        };
        if (!empty) throw Error($"{name} is not supported");
    }

    /// <summary>A field that is null, false or empty turns nothing on, whatever it means.</summary>
    private static bool SaysSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        // As it is written: one without a UTF-16 form cannot be read, and need not be.
        JsonValueKind.String => value.GetRawText() != "\"\"",
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };

    /// <summary>Refuses a matrix of 2³¹ elements or more, before anything is allocated for it.</summary>
    /// <exception cref="InputException">It is too large.</exception>
    public void RequireMatrix(string name, long rows, int width)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (rows * width > int.MaxValue) throw Error($"{name}, {rows}, times hidden_size {width} is 2^31 or more; less was expected");
    }

    /// <summary>Takes fields as read that say nothing about what is computed here: other heads' settings, what a file was made with.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) read.Add(name);
    }

    /// <summary>The names of the fields that nobody read and that are not among the <paramref name="harmless"/>.</summary>
    public string[] Unread(HashSet<string> harmless)
    {
        ArgumentNullException.ThrowIfNull(harmless);
        return [.. root.EnumerateObject().Where(property => SaysSomething(property.Value)).Select(property => property.Name).Where(name => !read.Contains(name) && !harmless.Contains(name)).Distinct()];
    }

    /// <summary>Says what a field's value stands for, where several values stand for the same.</summary>
    internal void Means(string name, string value) => values[name] = value;

    private T Noted<T>(string name, T value)
    {
        if (value is not null) values[name] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return value;
    }

    private JsonElement? Find(string name)
    {
        read.Add(name);
        return root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private InputException Wrong(string name, JsonElement value, string expected)
    {
        // A message is one line, also where the file's value is several.
        string text = string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return Error($"{name} is {(text.Length > 40 ? text[..40] + "…" : text)}; {expected} was expected");
    }
}
