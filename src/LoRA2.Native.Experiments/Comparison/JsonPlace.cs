using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>A value in a JSON file, with the path that leads to it: errors name both.</summary>
/// <param name="File">The file.</param>
/// <param name="Path">As in <c>methods[0].options.rank</c>; empty for the whole file.</param>
/// <param name="Value">The value.</param>
internal readonly record struct JsonPlace(string File, string Path, JsonElement Value)
{
    private const int LongestShown = 60;

    /// <summary>Reads a file; comments and trailing commas are allowed.</summary>
    /// <exception cref="InputException">There is no such file, or it is not JSON.</exception>
    public static JsonPlace Load(string file)
    {
        if (!System.IO.File.Exists(file)) throw new InputException($"'{file}' does not exist; a JSON file that says what to compare was expected");
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                RegularFile.ReadAllBytes(file), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            return new JsonPlace(file, "", document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw new InputException($"{file}: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: this is no JSON", e);
        }
    }

    /// <summary>An error at this place.</summary>
    public InputException Error(string what, Exception? inner = null) => new($"{File}: {(Path.Length == 0 ? "" : Path + ": ")}{what}", inner);

    /// <summary>An error that says what was found here.</summary>
    public InputException Unexpected(string expected)
    {
        string text = Value.GetRawText().ReplaceLineEndings(" ");
        return Error($"{(text.Length > LongestShown ? text[..LongestShown] + "…" : text)} was found; {expected} was expected");
    }

    /// <summary>The properties of an object.</summary>
    /// <exception cref="InputException">It is no object, or a name comes twice.</exception>
    public IReadOnlyList<(string Name, JsonPlace Place)> Properties()
    {
        if (Value.ValueKind != JsonValueKind.Object) throw Unexpected("an object");
        var properties = new List<(string Name, JsonPlace Place)>();
        foreach (JsonProperty property in Value.EnumerateObject())
        {
            var place = new JsonPlace(File, Path.Length == 0 ? property.Name : $"{Path}.{property.Name}", property.Value);
            if (properties.Exists(earlier => earlier.Name == property.Name)) throw place.Error("this name comes twice");
            properties.Add((property.Name, place));
        }

        return properties;
    }

    /// <summary>The elements of an array that is not empty.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public IReadOnlyList<JsonPlace> Items()
    {
        if (Value.ValueKind != JsonValueKind.Array || Value.GetArrayLength() == 0) throw Unexpected("an array with something in it");
        (string file, string path) = (File, Path);
        return [.. Value.EnumerateArray().Select((element, i) => new JsonPlace(file, $"{path}[{i}]", element))];
    }

    /// <summary>A string that is not empty.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public string Text() => Value.ValueKind == JsonValueKind.String && Value.GetString() is { Length: > 0 } text ? text : throw Unexpected("a string");

    /// <summary>A path, relative to the file's folder.</summary>
    /// <exception cref="InputException">It is no string.</exception>
    public string FullPath() => System.IO.Path.GetFullPath(Text(), System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(File))!);
}
