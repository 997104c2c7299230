using LoRA2.Native.Tokenizers.Bpe;
using LoRA2.Native.Tokenizers.Unicode;

namespace LoRA2.Native.Tokenizers.Json;

/// <summary>Where a text is split.</summary>
internal abstract class SplitPattern
{
    /// <summary>The first match at or after <paramref name="from"/>, not empty; false when there is none.</summary>
    public abstract bool Find(ReadOnlySpan<char> text, int from, out int start, out int end);

    /// <summary>Appends the pieces of <paramref name="text"/> to <paramref name="output"/>.</summary>
    public void Divide(ReadOnlySpan<char> text, SplitBehavior behavior, bool invert, bool atStart, Splits output)
    {
        var segments = new List<(int Start, int End, bool Match)>();
        for (var from = 0; from < text.Length;)
        {
            if (!Find(text, from, out var start, out var end))
                (start, end) = (text.Length, text.Length);
            if (start > from)
                segments.Add((from, start, invert));
            if (end > start)
                segments.Add((start, end, !invert));
            from = end;
        }

        Merge(segments, behavior);
        foreach (var (start, end, match) in segments)
        {
            if (!match || behavior != SplitBehavior.Removed)
                output.Add(text[start..end], start, atStart && start == 0);
        }
    }

    private static void Merge(List<(int Start, int End, bool Match)> segments, SplitBehavior behavior)
    {
        if (behavior == SplitBehavior.Contiguous)
        {
            for (var i = segments.Count - 1; i > 0; i--)
            {
                if (segments[i].Match == segments[i - 1].Match)
                    Join(segments, i - 1);
            }
        }
        else if (behavior == SplitBehavior.MergedWithPrevious)
        {
            // Of several matches in a row only the first joins what is before it.
            for (var i = segments.Count - 1; i > 0; i--)
            {
                if (segments[i].Match && !segments[i - 1].Match)
                    Join(segments, i - 1);
            }
        }
        else if (behavior == SplitBehavior.MergedWithNext)
        {
            for (var i = segments.Count - 2; i >= 0; i--)
            {
                if (segments[i].Match && !segments[i + 1].Match)
                {
                    Join(segments, i);
                    segments[i] = segments[i] with { Match = true };
                }
            }
        }
    }

    private static void Join(List<(int Start, int End, bool Match)> segments, int first)
    {
        segments[first] = (segments[first].Start, segments[first + 1].End, segments[first].Match);
        segments.RemoveAt(first + 1);
    }
}

/// <summary>Each character of a kind.</summary>
internal sealed class CharPattern(Func<int, bool> matches) : SplitPattern
{
    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (end = from; end < text.Length;)
        {
            start = end;
            if (matches(CodePoint.Next(text, ref end)))
                return true;
        }

        start = end;
        return false;
    }
}

/// <summary>A run of characters of one kind, as long as it goes.</summary>
internal sealed class RunPattern(Func<int, int> kindOf) : SplitPattern
{
    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (end = from; end < text.Length;)
        {
            start = end;
            var kind = kindOf(CodePoint.Next(text, ref end));
            if (kind == 0)
                continue;
            for (var next = end; next < text.Length && kindOf(CodePoint.Next(text, ref next)) == kind;)
                end = next;
            return true;
        }

        start = end;
        return false;
    }
}

/// <summary>A string.</summary>
internal sealed class LiteralPattern(string literal) : SplitPattern
{
    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        var at = literal.Length == 0 ? -1 : text[from..].IndexOf(literal, StringComparison.Ordinal);
        start = at < 0 ? text.Length : from + at;
        end = at < 0 ? start : start + literal.Length;
        return at >= 0;
    }
}

/// <summary>GPT-2's words, which cover the whole text.</summary>
internal sealed class Gpt2Pattern : SplitPattern
{
    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = end = from;
        if (from >= text.Length)
            return false;
        end = Gpt2Splitter.WordEnd(text, from);
        return true;
    }
}
