using System.Text;
using System.Text.RegularExpressions;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>One step of a tokenizer.json's normalizer.</summary>
internal abstract class Normalizer
{
    /// <summary>Whether it takes white space away from the beginning of a text.</summary>
    public virtual bool StripsStart => false;

    /// <summary>Appends the changed text.</summary>
    public abstract void Append(ReadOnlySpan<char> text, CharBuffer output);
}

/// <summary>One of Unicode's four normalization forms.</summary>
internal sealed class UnicodeFormNormalizer(NormalizationForm form) : Normalizer
{
    public override void Append(ReadOnlySpan<char> text, CharBuffer output) => NormalizationForms.Append(output, text, form);
}

/// <summary>Lower case, character by character.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            var c = CodePoint.Next(text, ref i);
            output.From(start, i);
            PythonText.AppendLower(output, c);
        }
    }
}

/// <summary>Takes combining marks away; it does not decompose.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            var c = CodePoint.Next(text, ref i);
            output.From(start, i);
            if (!RustText.IsMark(c))
                output.AppendCodePoint(c);
        }
    }
}

/// <summary>Takes white space away from the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override bool StripsStart => left;

    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        var (start, end) = (0, text.Length);
        while (left && start < end && char.IsWhiteSpace(text[start]))
            start++;
        while (right && end > start && char.IsWhiteSpace(text[end - 1]))
            end--;
        output.Copy(text[start..end], start);
    }
}

/// <summary>Puts a string before a text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        if (text.IsEmpty)
            return;
        // What is put before a text belongs to its first character.
        var first = 0;
        CodePoint.Next(text, ref first);
        output.From(0, first);
        output.Append(prefix);
        output.Copy(text, 0);
    }
}

/// <summary>Replaces each occurrence of a pattern.</summary>
internal sealed class ReplaceNormalizer(Regex pattern, string content) : Normalizer
{
    public override void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        var from = 0;
        foreach (var match in pattern.EnumerateMatches(text))
        {
            output.Copy(text[from..match.Index], from);
            from = match.Index + match.Length;
            // What stands for several characters belongs to the last of them.
            output.From(from - (from > 1 && char.IsLowSurrogate(text[from - 1]) ? 2 : 1), from);
            output.Append(content);
        }

        output.Copy(text[from..], from);
    }
}
