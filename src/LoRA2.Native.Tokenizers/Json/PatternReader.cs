using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Reads a <c>pattern</c>: <c>{"String": …}</c>, <c>{"Regex": …}</c> or a bare string.</summary>
internal static class PatternReader
{
    /// <summary>The literal or the regular expression; the other is null.</summary>
    public static (string? Literal, string? Regex) Read(JsonElement value, string where)
    {
        var pattern = JsonFile.Get(value, "pattern");
        where += ".pattern";
        if (pattern is { ValueKind: JsonValueKind.String } bare)
            return (JsonFile.Text(bare, where), null);
        var item = JsonFile.Expect(pattern, JsonValueKind.Object, where);
        if (JsonFile.String(item, "String", where) is { } literal)
            return (literal, null);
        return JsonFile.String(item, "Regex", where) is { } regex
            ? (null, regex)
            : throw new InputException($"{where}: has neither 'String' nor 'Regex'.");
    }
}
