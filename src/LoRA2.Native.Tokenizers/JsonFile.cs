using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>A JSON file whose root is an object, and checked access to it: every message names the file, the field and both sides.</summary>
internal static class JsonFile
{
    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">It is not JSON, or its root is not an object.</exception>
    public static JsonDocument Read(string file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(RegularFile.ReadAllBytes(file).AsMemory(), new JsonDocumentOptions { MaxDepth = 64 });
        }
        catch (JsonException e)
        {
            throw new InputException($"{file}, line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: not valid JSON.", e);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        var kind = document.RootElement.ValueKind;
        document.Dispose();
        throw new InputException($"{file}: holds a JSON {Name(kind)}; expected an object.");
    }

    /// <summary>The member, or null where it is missing or null.</summary>
    public static JsonElement? Get(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    /// <summary>The member as a string, or null.</summary>
    public static string? String(JsonElement parent, string name, string where) =>
        Get(parent, name) is { } value ? Text(value, $"{where}.{name}") : null;

    /// <summary>The member as a truth value, or null.</summary>
    public static bool? Bool(JsonElement parent, string name, string where) => Get(parent, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw Unexpected(other, $"{where}.{name}", "true or false"),
    };

    /// <summary>The member as an id or length, at least 0, or null.</summary>
    public static int? Index(JsonElement parent, string name, string where) =>
        Get(parent, name) is { } value ? Index(value, $"{where}.{name}") : null;

    /// <summary>An id or length: a whole number from 0 to 2³⁰.</summary>
    public static int Index(JsonElement value, string where)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number is >= 0 and <= 1 << 30)
            return number;
        throw Unexpected(value, where, "a whole number from 0 to 2^30");
    }

    /// <summary>A string, in which lone surrogates escaped in the file become U+FFFD.</summary>
    public static string Text(JsonElement value, string where)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw Unexpected(value, where, "a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{where}: is not valid text ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>A member name that may be damaged.</summary>
    public static string Name(JsonProperty property, string where)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{where}: has a key that is not valid text ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>Fails with what was found and what was expected.</summary>
    public static InputException Unexpected(JsonElement found, string where, string expected)
    {
        var raw = found.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False ? $" {found.GetRawText()}" : "";
        return new InputException($"{where}: is a JSON {Name(found.ValueKind)}{raw}; expected {expected}.");
    }

    /// <summary>Checks that <paramref name="value"/> is of a kind.</summary>
    public static JsonElement Expect(JsonElement? value, JsonValueKind kind, string where)
    {
        if (value is not { } found)
            throw new InputException($"{where}: is missing; expected a JSON {Name(kind)}.");
        return found.ValueKind == kind ? found : throw Unexpected(found, where, $"a JSON {Name(kind)}");
    }

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "truth value",
        _ => "null",
    };
}
