using System.Globalization;
using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.WordPiece;

/// <summary>
/// HuggingFace's Python BasicTokenizer, behind its lower-casing: control characters go, CJK ideographs stand alone, NFC, words at
/// white space, accents stripped, punctuation stands alone.
/// </summary>
internal sealed class BasicTokenizer(bool spacesCjk, bool stripsAccents, IEnumerable<string> neverSplit)
{
    private static readonly byte[] Ascii = AsciiKinds();
    private readonly HashSet<string> _neverSplit = [.. neverSplit];
    private readonly System.Buffers.SearchValues<char> _lastOfNeverSplit = System.Buffers.SearchValues.Create([.. neverSplit.Select(t => t[^1]).Distinct()]);

    private const byte Drop = 1, Space = 2, Mark = 3;

    /// <summary>Splits a text into words and encodes each.</summary>
    public void Split(ReadOnlySpan<char> text, Alignment? origins, int at, WordPieceModel model, Scratch scratch, TokenSink sink)
    {
        var cleaned = scratch.Cleaned;
        cleaned.Clear();
        cleaned.Follow(sink.Follows, origins, at);
        var ascii = Clean(text, cleaned);
        // Where accents are stripped, words are decomposed below, and to the same whether they were composed before; places are then those of the characters as they were given.
        if (!ascii && !(sink.Follows && stripsAccents))
        {
            var normalized = scratch.Normalized;
            normalized.Clear();
            normalized.Follow(sink.Follows, cleaned.Origins, 0);
            NormalizationForms.Append(normalized, cleaned.Span, NormalizationForm.FormC);
            cleaned.Clear();
            cleaned.Follow(sink.Follows, normalized.Origins, 0);
            cleaned.Copy(normalized.Span, 0);
        }

        var words = cleaned.Span;
        for (int start = 0, i = 0; i <= words.Length; i++)
        {
            if (i < words.Length && !(words[i] == ' ' || (words[i] >= 128 && PythonText.IsSpace(words[i]))))
                continue;
            if (i > start)
                Word(words[start..i], cleaned.Origins, start, model, scratch, sink);
            start = i + 1;
        }
    }

    /// <summary>Whether a code point is a CJK ideograph as BERT counts them; kana and Hangul are not.</summary>
    public static bool IsCjk(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    /// <summary>
    /// Whether a code point that the table's Unicode knew as unassigned, and Python therefore as a control character, is text that is newer: assigned since, or of the
    /// places that Unicode keeps for emoji to come (Extended_Pictographic). The vocabulary has [UNK] for it if nothing else.
    /// </summary>
    private static bool IsNewer(int c) => CharUnicodeInfo.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse => false,
        UnicodeCategory.OtherNotAssigned => c is (>= 0x1F000 and <= 0x1FAFF) or (>= 0x1FC00 and <= 0x1FFFD),
        _ => true,
    };

    private static byte[] AsciiKinds()
    {
        var kinds = new byte[128];
        for (var c = 0; c < 128; c++)
            kinds[c] = c is '\t' or '\n' or '\r' or ' ' ? Space : c < 32 || c == 127 ? Drop : Punctuation.IsPython(c) ? Mark : (byte)0;
        return kinds;
    }

    private bool Clean(ReadOnlySpan<char> text, CharBuffer output)
    {
        var ascii = true;
        for (var i = 0; i < text.Length;)
        {
            var from = i;
            var c = CodePoint.Next(text, ref i);
            output.From(from, i);
            if (c < 128)
            {
                var kind = Ascii[c];
                if (kind != Drop)
                    output.Append(kind == Space ? ' ' : (char)c);
                continue;
            }

            ascii = false;
            var charClass = (CharClass)UnicodeTables.PythonClasses[c];
            if (c == 0xFFFD || (charClass == CharClass.Control && !IsNewer(c)))
                continue;
            if (charClass == CharClass.SpaceSeparator)
            {
                output.Append(' ');
            }
            else if (spacesCjk && IsCjk(c))
            {
                output.Append(' ');
                output.AppendCodePoint(c);
                output.Append(' ');
            }
            else
            {
                output.AppendCodePoint(c);
            }
        }

        return ascii;
    }

    private void Word(ReadOnlySpan<char> word, Alignment? origins, int origin, WordPieceModel model, Scratch scratch, TokenSink sink)
    {
        var ascii = word.IndexOfAnyExceptInRange('\0', '\x7F') < 0;
        if (_lastOfNeverSplit.Contains(word[^1]) && _neverSplit.Contains(word.ToString()))
        {
            Part(word, 0, word.Length);
            return;
        }

        if (!ascii && stripsAccents)
        {
            scratch.Normalized.Follow(sink.Follows, origins, origin);
            word = StripAccents(word, scratch.Normalized);
            (origins, origin) = (scratch.Normalized.Origins, 0);
        }

        var start = 0;
        for (var i = 0; i < word.Length;)
        {
            var at = i;
            var c = CodePoint.Next(word, ref i);
            if (c < 128 ? Ascii[c] != Mark : !Punctuation.IsPython(c))
                continue;
            Part(word, start, at);
            Part(word, at, i);
            start = i;
        }

        Part(word, start, word.Length);

        void Part(ReadOnlySpan<char> whole, int from, int to)
        {
            if (from == to)
                return;
            sink.NextWord();
            sink.Reads(origins, origin + from);
            model.Encode(whole[from..to], scratch, sink);
        }
    }

    private static ReadOnlySpan<char> StripAccents(ReadOnlySpan<char> word, CharBuffer buffer)
    {
        buffer.Clear();
        NormalizationForms.Append(buffer, word, NormalizationForm.FormD);
        var decomposed = buffer.Span.ToArray().AsSpan();
        var places = buffer.Origins?.From(0);
        buffer.Clear();
        buffer.Read(places, 0);
        for (var i = 0; i < decomposed.Length;)
        {
            var from = i;
            var c = CodePoint.Next(decomposed, ref i);
            buffer.From(from, i);
            if (UnicodeTables.PythonClasses[c] != (byte)CharClass.NonspacingMark)
                buffer.AppendCodePoint(c);
        }

        return buffer.Span;
    }
}
