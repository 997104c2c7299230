using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers;

/// <summary>A text file's lines as Python reads them: UTF-8, ended by LF, CR LF or CR; what follows the last end is a line too.</summary>
internal static class TextLines
{
    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">It is not UTF-8; the message has the line's number.</exception>
    public static string[] Read(string file)
    {
        var bytes = RegularFile.ReadAllBytes(file);
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            var at = Math.Clamp(e.Index, 0, bytes.Length);
            throw new InputException($"{file}, line {bytes.AsSpan(0, at).Count((byte)'\n') + 1}: is not valid UTF-8.", e);
        }

        return text.ReplaceLineEndingsLikePython().Split('\n');
    }

    private static string ReplaceLineEndingsLikePython(this string text) =>
        text.Contains('\r') ? text.Replace("\r\n", "\n").Replace('\r', '\n') : text;
}
