using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace LoRA2.Native.Serving.Http;

/// <summary>What a field of one or several texts may hold: a string, strings, a text's tokens, or several texts' tokens.</summary>
/// <param name="Texts">The texts; null where tokens were given.</param>
/// <param name="Tokens">The tokens; null where texts were given.</param>
internal sealed record TextInputs(string[]? Texts, int[][]? Tokens)
{
    private const string Expected = "a string, strings, or tokens";

    public int Count => Texts?.Length ?? Tokens!.Length;

    /// <summary>Reads a field.</summary>
    /// <exception cref="ServerException">It is missing or something else.</exception>
    public static TextInputs Of(JsonElement? element, string field)
    {
        if (element is not { } value || value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) throw Wrong($"`{field}` is missing; {Expected} were expected");
        if (value.ValueKind == JsonValueKind.String) return new TextInputs([Text(value)], null);
        if (value.ValueKind != JsonValueKind.Array) throw Wrong($"`{field}` is neither {Expected}");
        JsonElement first = value.EnumerateArray().FirstOrDefault();
        return first.ValueKind switch
        {
            JsonValueKind.Undefined => new TextInputs([], null),
            JsonValueKind.Number => new TextInputs(null, [Ids(value, field)]),
            JsonValueKind.Array => new TextInputs(null, [.. value.EnumerateArray().Select(ids => Ids(ids, field))]),
            _ => new TextInputs([.. value.EnumerateArray().Select((text, i) => text.ValueKind == JsonValueKind.String ? Text(text) : throw Wrong($"`{field}` has no string at {i}; {Expected} were expected"))], null),
        };
    }

    /// <summary>A string, whose escapes may not make halves of characters.</summary>
    /// <exception cref="ServerException">They do.</exception>
    public static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("a string is not valid Unicode");
        }
    }

    /// <summary>Whether longer texts are cut, as a request says or else the server.</summary>
    /// <exception cref="ServerException">They were to be cut at their beginning.</exception>
    public static bool Cuts(bool? truncate, string? direction, ServerOptions options) =>
        direction is null || direction.Equals("right", StringComparison.OrdinalIgnoreCase)
            ? truncate ?? options.Truncates
            : throw Wrong("`truncation_direction` is not 'Right'; texts are cut at their end here");

    public static ServerException Wrong(string message) => new(StatusCodes.Status422UnprocessableEntity, message);

    private static int[] Ids(JsonElement array, string field)
    {
        if (array.ValueKind != JsonValueKind.Array) throw Wrong($"`{field}` mixes tokens with something else");
        return [.. array.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int value) ? value : throw Wrong($"`{field}` has a token that is no whole number"))];
    }
}
