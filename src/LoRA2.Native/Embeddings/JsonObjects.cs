using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Embeddings;

/// <summary>Small JSON files, hostile until they are read.</summary>
internal static class JsonObjects
{
    private const string Expected = "a sentence-transformers folder has it";

    /// <summary>What a file's one object says.</summary>
    /// <exception cref="InputException">There is no such file, or it is no JSON object.</exception>
    public static T Read<T>(string path, Func<ConfigFields, T> read) => JsonInput.ReadObject(path, Expected, read);

    /// <summary>What the objects of a file's array say, each with its number from 0.</summary>
    /// <exception cref="InputException">There is no such file, or it is no array of JSON objects.</exception>
    public static T[] ReadArray<T>(string path, Func<ConfigFields, int, T> read) => JsonInput.Read(path, Expected, root =>
    {
        if (root.ValueKind != JsonValueKind.Array || root.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object)) throw new InputException($"{path}: an array of JSON objects was expected");
        return root.EnumerateArray().Select((item, i) => read(new ConfigFields(path, item), i)).ToArray();
    });
}
