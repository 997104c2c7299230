using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data.Tables;

/// <summary>The lines of a UTF-8 file: byte-order mark dropped, \n or \r\n, the last one with or without an end, invalid UTF-8 refused
/// by line.</summary>
internal static class TextLines
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Every line with its number, counted from 1. Only line feeds end a line: U+2028 and the like are text.</summary>
    public static List<(int Number, string Text)> Read(string path)
    {
        ReadOnlySpan<byte> rest = ReadBytes(path);
        if (rest.StartsWith(Encoding.UTF8.Preamble)) rest = rest[3..];
        var lines = new List<(int, string)>();
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.EndsWith("\r"u8)) line = line[..^1];
            try
            {
                lines.Add((lines.Count + 1, Strict.GetString(line)));
            }
            catch (DecoderFallbackException e)
            {
                throw new InputException(
                    $"{path}, line {lines.Count + 1}: byte {e.Index + 1} of the line is not valid UTF-8, expected text in UTF-8.", e);
            }
        }
        return lines;
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            return RegularFile.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{path}: there is no such file, expected a data file.", e);
        }
    }
}
