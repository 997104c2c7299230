using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Text;

/// <summary>
/// The lines of a stream as bytes. Only \n or \r\n ends a line and is taken off; everything else, a byte-order mark or a lone \r included, is text.
/// </summary>
internal sealed class LineReader(Stream stream, string name)
{
    /// <summary>No text is as long: what has no line end before is no file of texts, and may have no end at all.</summary>
    public const int LongestLine = 64 << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private byte[] buffer = new byte[1 << 16];
    private int start;
    private int end;
    private bool ended;

    /// <summary>What the stream is called in messages.</summary>
    public string Name => name;

    /// <summary>Number of the line last read, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Reads one line; it is valid until the next call.</summary>
    /// <exception cref="InputException">It is longer than <see cref="LongestLine"/>.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = start;
        while (true)
        {
            int found = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                line = buffer.AsSpan(start, searched + found - start);
                if (line.EndsWith("\r"u8)) line = line[..^1];
                start = searched + found + 1;
                Number++;
                return true;
            }

            if (ended) return TryRest(out line);
            searched = end - start;
            Fill();
            searched += start;
        }
    }

    /// <summary>Reads one line as text.</summary>
    /// <exception cref="InputException">It is not UTF-8.</exception>
    public bool TryReadText(out string text)
    {
        text = "";
        if (!TryRead(out ReadOnlySpan<byte> line)) return false;
        text = Decode(line);
        return true;
    }

    /// <summary>Bytes of the current line as text.</summary>
    /// <exception cref="InputException">They are not UTF-8.</exception>
    public string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Error("is not valid UTF-8", e);
        }
    }

    /// <summary>An error about the current line.</summary>
    public InputException Error(string what, Exception? inner = null) => new($"{name}, line {Number}: {what}", inner);

    private bool TryRest(out ReadOnlySpan<byte> line)
    {
        line = buffer.AsSpan(start, end - start);
        start = end;
        if (line.IsEmpty) return false;
        Number++;
        return true;
    }

    private void Fill()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        if (end >= LongestLine)
        {
            Number++;
            throw Error($"more than {LongestLine >> 20} MiB without a line end were found; texts, one a line, were expected");
        }

        if (end == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
        int read = stream.Read(buffer, end, buffer.Length - end);
        end += read;
        ended = read == 0;
    }
}
