using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>
/// The Rust BertNormalizer: control characters go, white space becomes spaces, CJK ideographs stand alone, accents are stripped,
/// then lower case. Unlike the Python one it does not compose, and it knows Unicode 8.0's categories.
/// </summary>
internal sealed class BertNormalizer(bool cleanText, bool spacesCjk, bool stripsAccents, bool lowerCase) : Normalizer
{
    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        var start = output.Length;
        var ascii = true;
        for (var i = 0; i < text.Length;)
        {
            var from = i;
            var c = CodePoint.Next(text, ref i);
            output.From(from, i);
            if (c < 128)
                AppendAscii(c, output);
            else
                ascii &= !AppendOther(c, output);
        }

        if (ascii)
            return;
        if (stripsAccents)
            StripAccents(output, start);
        if (lowerCase)
            Lower(output, start);
    }

    private void AppendAscii(int c, CharBuffer output)
    {
        if (cleanText)
        {
            if (c is '\t' or '\n' or '\r')
                c = ' ';
            else if (c < 32 || c == 127)
                return;
        }

        output.Append(lowerCase && c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : (char)c);
    }

    private bool AppendOther(int c, CharBuffer output)
    {
        if (cleanText)
        {
            if (c == 0xFFFD || UnicodeTables.RustClasses[c] == (byte)CharClass.Control)
                return false;
            if (RustText.IsWhiteSpace(c))
                c = ' ';
        }

        // The Rust range of extension E begins 0x100 later than Python's.
        if (spacesCjk && WordPiece.BasicTokenizer.IsCjk(c) && c is not (>= 0x2B820 and < 0x2B920))
        {
            output.Append(' ');
            output.AppendCodePoint(c);
            output.Append(' ');
        }
        else
        {
            output.AppendCodePoint(c);
        }

        return true;
    }

    private static void StripAccents(CharBuffer output, int start)
    {
        var decomposed = new CharBuffer();
        decomposed.Follow(output.Origins is not null, output.Origins, start);
        NormalizationForms.Append(decomposed, output.Span[start..], NormalizationForm.FormD);
        Rewrite(output, start, decomposed.Span, decomposed.Origins, static (c, into) =>
        {
            if (UnicodeTables.RustClasses[c] != (byte)CharClass.NonspacingMark)
                into.AppendCodePoint(c);
        });
    }

    private static void Lower(CharBuffer output, int start) =>
        Rewrite(output, start, output.Span[start..].ToString(), output.Origins?.From(start), static (c, into) => PythonText.AppendLower(into, c));

    /// <summary>Puts in place of what stands after <paramref name="start"/> what becomes of each character of a text.</summary>
    private static void Rewrite(CharBuffer output, int start, ReadOnlySpan<char> text, Alignment? origins, Action<int, CharBuffer> append)
    {
        output.Truncate(start);
        var before = output.Read(origins, 0);
        for (var i = 0; i < text.Length;)
        {
            var from = i;
            var c = CodePoint.Next(text, ref i);
            output.From(from, i);
            append(c, output);
        }

        output.Read(before.Input, before.Start);
    }
}
