using System.Text;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>What HuggingFace's AlbertTokenizer does to a text before SentencePiece gets it: single spaces, plain quotation marks, no accents, no capitals.</summary>
/// <param name="removesSpace">Whether runs of white space become one space, and none stays at the ends.</param>
/// <param name="keepsAccents">Whether characters stay as they are, rather than being taken apart (NFKD) and losing what combines.</param>
/// <param name="lowers">Whether capitals become small letters.</param>
internal sealed class AlbertText(bool removesSpace, bool keepsAccents, bool lowers)
{
    /// <summary>The changed text, in working memory.</summary>
    /// <param name="text">The text.</param>
    /// <param name="origins">Where its characters came from; null when they are the user's own.</param>
    /// <param name="start">Where it begins among them.</param>
    /// <param name="scratch">Working memory.</param>
    /// <param name="follows">Whether places are wanted.</param>
    public CharBuffer Prepare(ReadOnlySpan<char> text, Alignment? origins, int start, Scratch scratch, bool follows)
    {
        var (plain, apart) = (scratch.Cleaned, scratch.Normalized);
        plain.Clear();
        plain.Follow(follows, origins, start);
        AppendPlain(text, plain);
        if (keepsAccents && !lowers)
            return plain;
        apart.Clear();
        apart.Follow(follows, plain.Origins, 0);
        if (keepsAccents)
            apart.Copy(plain.Span, 0);
        else
            NormalizationForms.Append(apart, plain.Span, NormalizationForm.FormKD);
        plain.Clear();
        plain.Follow(follows, apart.Origins, 0);
        for (var i = 0; i < apart.Length;)
        {
            var at = i;
            var c = CodePoint.Next(apart.Span, ref i);
            if (!keepsAccents && UnicodeTables.CombiningClasses[c] != 0)
                continue;
            plain.From(at, i);
            if (lowers)
                PythonText.AppendLower(plain, c);
            else
                plain.AppendCodePoint(c);
        }

        return plain;
    }

    private void AppendPlain(ReadOnlySpan<char> text, CharBuffer output)
    {
        var space = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (removesSpace && PythonText.IsSpace(text[i]))
            {
                space = output.Length > 0;
                continue;
            }

            if (space)
            {
                output.From(i - 1, i);
                output.Append(' ');
                space = false;
            }

            if (text[i] is '`' or '\'' && i + 1 < text.Length && text[i + 1] == text[i])
            {
                output.From(i, i + 2);
                output.Append('"');
                i++;
                continue;
            }

            var end = i;
            CodePoint.Next(text, ref end);
            output.Copy(text[i..end], i);
            i = end - 1;
        }
    }
}
