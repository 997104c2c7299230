using System.Text.Json;
using System.Text.Json.Nodes;
using LoRA2.Native.Files;

namespace LoRA2.Native;

/// <summary>JSON files, hostile until they are read. Of a name that an object has twice the last value counts, as in Python.</summary>
internal static class JsonInput
{
    /// <summary>What is read from a file's value.</summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">What a message that it is missing adds: "a config.json was expected".</param>
    /// <param name="read">Reads it.</param>
    /// <exception cref="InputException">The file is missing, can't be read or is not JSON in UTF-8.</exception>
    public static T Read<T>(string path, string expected, Func<JsonElement, T> read) => Parse(path, Bytes(path, expected), read);

    /// <summary>What is read from a file's one object.</summary>
    /// <exception cref="InputException">The file is missing, can't be read or is not a JSON object in UTF-8.</exception>
    public static T ReadObject<T>(string path, string expected, Func<ConfigFields, T> read) => ParseObject(path, Bytes(path, expected), read);

    /// <summary>The same of what would be in a file.</summary>
    /// <exception cref="InputException">It is not a JSON object in UTF-8.</exception>
    public static T ParseObject<T>(string path, byte[] bytes, Func<ConfigFields, T> read) => Parse(path, bytes, root =>
        root.ValueKind == JsonValueKind.Object ? read(new ConfigFields(path, root)) : throw new InputException($"{path}: a JSON object was expected"));

    /// <summary>A file's one object to change and write again.</summary>
    /// <exception cref="InputException">The file is missing, can't be read or is not a JSON object in UTF-8.</exception>
    public static JsonObject Tree(string path, string expected) => Read(path, expected, root =>
        root.ValueKind == JsonValueKind.Object ? (JsonObject)Copy(root)! : throw new InputException($"{path}: a JSON object was expected"));

    private static T Parse<T>(string path, byte[] bytes, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: not valid JSON (line {e.LineNumber + 1}), at byte {e.BytePositionInLine + 1}", e);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for a string that has no UTF-16 form.
            throw new InputException($"{path}: a string or name is not valid Unicode; JSON in UTF-8 was expected", e);
        }
    }

    private static byte[] Bytes(string path, string expected)
    {
        try
        {
            return RegularFile.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' does not exist{FileSet.Hint(Path.GetDirectoryName(path) ?? "")}; {expected}", e);
        }
    }

    // JsonNode.Parse would throw for a name that occurs twice, and only when it is asked for.
    private static JsonNode? Copy(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array) return new JsonArray([.. value.EnumerateArray().Select(Copy)]);
        // A string is made now: one without a UTF-16 form would throw when it is written.
        if (value.ValueKind == JsonValueKind.String) return JsonValue.Create(value.GetString());
        if (value.ValueKind != JsonValueKind.Object) return value.ValueKind == JsonValueKind.Null ? null : JsonValue.Create(value.Clone());
        var copy = new JsonObject();
        foreach (JsonProperty field in value.EnumerateObject()) copy[field.Name] = Copy(field.Value);
        return copy;
    }
}
