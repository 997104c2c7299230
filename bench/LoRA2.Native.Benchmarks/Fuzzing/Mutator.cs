using System.Buffers.Binary;
using System.Text;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>
/// Changes a file in ways that keep most of it: bits, bytes, stretches; and, where it has JSON (as a whole, or as safetensors' header), one value for another of another
/// kind, of extreme size, or of another place, so that the reader gets past the parser.
/// </summary>
internal sealed class Mutator(Random random)
{
    private const int LengthBytes = 8;

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1e308", "2147483647", "2147483648", "9223372036854775807", "18446744073709551616", "0.1", "\"\"", "[]", "{}", "[0]", "[[0]]",
        "[9223372036854775807]", "[0,9223372036854775807]", "[1,1,1,1,1,1,1,1,1,1,1]", "\"F32\"", "\"I32\"", "\"F16\"", "\"\\ud800\"", "\"all-linear\"", "\"(\"", "\".*\"", "\"a\\u0000b\"", "\"../x\"",
    ];

    /// <summary>One to four changes.</summary>
    public byte[] Mutate(byte[] bytes)
    {
        for (int i = random.Next(1, 5); i > 0; i--) bytes = Once(bytes);
        return bytes;
    }

    private byte[] Once(byte[] bytes)
    {
        if (random.Next(3) > 0)
        {
            if (bytes.Length > 0 && bytes[0] is (byte)'{' or (byte)'[') return Json(bytes);
            if (IsSafetensors(bytes, out int header)) return Safetensors(bytes, header);
            if (bytes.AsSpan().StartsWith("PK\u0003\u0004"u8)) return ZipMutator.Mutate(bytes, this, random);
        }

        byte[] changed = [.. bytes];
        int at = changed.Length == 0 ? 0 : random.Next(changed.Length), length = Math.Min(random.Next(1, 33), changed.Length - at);
        switch (random.Next(7))
        {
            case 0 when changed.Length > 0:
                changed[at] ^= (byte)(1 << random.Next(8));
                return changed;
            case 1 when changed.Length > 0:
                changed[at] = (byte)random.Next(256);
                return changed;
            case 2:
                return [.. changed[..at], .. changed[(at + length)..]];
            case 3:
                return [.. changed[..at], .. changed[at..(at + length)], .. changed[at..]];
            case 4:
                return changed[..at];
            case 5:
                byte[] some = new byte[length];
                random.NextBytes(some);
                return [.. changed[..at], .. some, .. changed[at..]];
            default:
                string[] words = ["\"", "\t", "\n", "\r\n", ",", "\0", "\uFEFF", "nan", "\u2028", "{", "}", "\\u"];
                return [.. changed[..at], .. Encoding.UTF8.GetBytes(words[random.Next(words.Length)]), .. changed[at..]];
        }
    }

    /// <summary>Puts a value in the place of another; works on the text, so that what is not valid JSON any more is made too.</summary>
    private byte[] Json(byte[] bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        int[] starts = [.. Enumerable.Range(0, text.Length).Where(i => i > 0 && text[i - 1] is ':' or '[' or ',' && text[i] is not (' ' or '\n'))];
        if (starts.Length == 0) starts = [.. Enumerable.Range(0, text.Length).Where(i => i > 1 && text[i - 2] == ':')];
        if (starts.Length == 0) return bytes;
        int start = starts[random.Next(starts.Length)], end = EndOf(text, start);
        string value = text[start..end];
        string other = random.Next(4) switch
        {
            0 => value + "," + value,
            1 => text[starts[random.Next(starts.Length)]..][..1],
            _ => Values[random.Next(Values.Length)],
        };
        if (random.Next(4) == 0) other = Copied(text, starts);
        return Encoding.UTF8.GetBytes(text[..start] + other + text[end..]);
    }

    private string Copied(string text, int[] starts)
    {
        int from = starts[random.Next(starts.Length)];
        return text[from..EndOf(text, from)];
    }

    /// <summary>Where the value that begins there ends, as far as quotes and brackets say.</summary>
    private static int EndOf(string text, int start)
    {
        int depth = 0;
        bool quoted = false;
        for (int i = start; i < text.Length; i++)
        {
            if (quoted)
            {
                if (text[i] == '\\') i++;
                else if (text[i] == '"') quoted = false;
                continue;
            }

            if (text[i] == '"') quoted = true;
            else if (text[i] is '[' or '{') depth++;
            else if (text[i] is ']' or '}' && --depth < 0) return i;
            else if (text[i] == ',' && depth == 0) return i;
        }

        return text.Length;
    }

    /// <summary>Changes the header and, as a rule, sets its length right again.</summary>
    private byte[] Safetensors(byte[] bytes, int header)
    {
        byte[] changed = Json(bytes[LengthBytes..(LengthBytes + header)]);
        byte[] length = new byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, random.Next(8) == 0 ? random.NextInt64() : changed.Length);
        return [.. length, .. changed, .. bytes[(LengthBytes + header)..]];
    }

    private static bool IsSafetensors(byte[] bytes, out int header)
    {
        header = 0;
        if (bytes.Length <= LengthBytes || bytes[LengthBytes] != '{') return false;
        long length = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        header = (int)Math.Min(length, int.MaxValue);
        return length > 0 && length <= bytes.Length - LengthBytes;
    }
}
