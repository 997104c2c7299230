using System.Text;
using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Text;

/// <summary>
/// One line of JSON lines: a string to tokenize, or an example to answer. Of examples the same is refused as in data files; of a string alone an escaped lone surrogate is let through:
/// JSON allows it, and what becomes of it is the tokenizer's decision.
/// </summary>
internal static class JsonLine
{
    /// <summary>The string that a line holds.</summary>
    /// <exception cref="InputException">It holds something else.</exception>
    public static string String(LineReader lines, ReadOnlySpan<byte> line)
    {
        return Parse(lines, line, "a JSON string", (ref Utf8JsonReader reader) => Text(lines, ref reader, "a JSON string"));
    }

    /// <summary>The example that a line holds: a string, or {"text": …, "text_pair": …}.</summary>
    /// <exception cref="InputException">It holds something else.</exception>
    public static Example Example(LineReader lines, ReadOnlySpan<byte> line)
    {
        const string Expected = "a JSON string or an object with \"text\" and perhaps \"text_pair\"";
        return Parse(lines, line, Expected, (ref Utf8JsonReader reader) =>
        {
            if (reader.TokenType != JsonTokenType.StartObject) return new Example(Unicode(lines, ref reader, Expected));
            (string? text, string? pair) = (null, null);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = Unicode(lines, ref reader, Expected);
                if (!seen.Add(name)) throw lines.Error($"field {Quote.Name(name)} appears twice, expected once");
                reader.Read();
                if (name == "text") text = Unicode(lines, ref reader, "a string as \"text\"");
                else if (name == "text_pair" && reader.TokenType != JsonTokenType.Null) pair = Unicode(lines, ref reader, "a string as \"text_pair\"");
                else if (OtherNames.Contains(name)) throw lines.Error($"field {Quote.Name(name)} was found; {Expected} was expected");
                else if (reader.TokenType == JsonTokenType.String) Unicode(lines, ref reader, Expected);
                else reader.Skip();
            }

            return new Example(text ?? throw lines.Error("\"text\" is missing"), pair);
        });
    }

    /// <summary>What data and other programs call a text or its second one: to pass it over would answer another question. Other fields, such as an id, are passed over.</summary>
    private static readonly HashSet<string> OtherNames = new(["sentence", "sentence1", "sentence2", "text1", "text2", "text_b", "pair", "premise", "hypothesis"], StringComparer.OrdinalIgnoreCase);

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private delegate T Read<T>(ref Utf8JsonReader reader);

    private static T Parse<T>(LineReader lines, ReadOnlySpan<byte> line, string expected, Read<T> read)
    {
        if (lines.Number == 1 && line.StartsWith(Encoding.UTF8.Preamble)) line = line[3..];
        if (line.Trim(" \t\r"u8).IsEmpty) throw lines.Error($"is empty; {expected} was expected");
        var reader = new Utf8JsonReader(line);
        try
        {
            reader.Read();
            T value = read(ref reader);
            if (reader.Read()) throw lines.Error($"more than one value was found; {expected} was expected");
            return value;
        }
        catch (JsonException e)
        {
            throw lines.Error($"is not valid JSON at byte {e.BytePositionInLine + 1}; {expected} was expected", e);
        }
    }

    /// <summary>A string without halves of surrogate pairs.</summary>
    private static string Unicode(LineReader lines, ref Utf8JsonReader reader, string expected)
    {
        string text = Text(lines, ref reader, expected);
        if (!reader.ValueIsEscaped) return text;
        try
        {
            Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw lines.Error("a string is not valid Unicode, expected JSON in UTF-8", e);
        }

        return text;
    }

    private static string Text(LineReader lines, ref Utf8JsonReader reader, string expected)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)) throw lines.Error($"a value of kind {reader.TokenType} was found; {expected} was expected");
        ReadOnlySpan<byte> raw = reader.ValueSpan;
        if (!reader.ValueIsEscaped) return lines.Decode(raw);
        var text = new StringBuilder(raw.Length);
        while (true)
        {
            int plain = raw.IndexOf((byte)'\\');
            text.Append(lines.Decode(plain < 0 ? raw : raw[..plain]));
            if (plain < 0) return text.ToString();
            char escape = (char)raw[plain + 1];
            text.Append(escape switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => (char)Convert.ToUInt16(Encoding.ASCII.GetString(raw.Slice(plain + 2, 4)), 16),
                _ => escape,
            });
            raw = raw[(plain + (escape == 'u' ? 6 : 2))..];
        }
    }
}
