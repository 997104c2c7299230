using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Embeddings;

/// <summary>Small JSON files, hostile until they are read.</summary>
internal static class JsonObjects
{
    /// <summary>What a file's one object says.</summary>
    /// <exception cref="InputException">There is no such file, or it is no JSON object.</exception>
    public static T Read<T>(string path, Func<ConfigFields, T> read) => Parse(path, root =>
        root.ValueKind == JsonValueKind.Object ? read(new ConfigFields(path, root)) : throw new InputException($"{path}: a JSON object was expected"));

    /// <summary>What the objects of a file's array say, each with its number from 0.</summary>
    /// <exception cref="InputException">There is no such file, or it is no array of JSON objects.</exception>
    public static T[] ReadArray<T>(string path, Func<ConfigFields, int, T> read) => Parse(path, root =>
    {
        if (root.ValueKind != JsonValueKind.Array || root.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object)) throw new InputException($"{path}: an array of JSON objects was expected");
        return root.EnumerateArray().Select((item, i) => read(new ConfigFields(path, item), i)).ToArray();
    });

    private static T Parse<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(RegularFile.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' does not exist; a sentence-transformers folder has it", e);
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: not valid JSON (line {e.LineNumber + 1}), at byte {e.BytePositionInLine + 1}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{path}: a string or name is not valid Unicode; JSON in UTF-8 was expected", e);
        }
    }
}
