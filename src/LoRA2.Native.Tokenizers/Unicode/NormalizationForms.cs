using System.Text;

namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>Unicode normalization (UAX #15), because <see cref="string.Normalize()"/> does nothing in invariant globalization mode.</summary>
internal static class NormalizationForms
{
    private const int SBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7;
    private const int LCount = 19, VCount = 21, TCount = 28, SCount = LCount * VCount * TCount;

    /// <summary>Appends <paramref name="text"/> in the given form. A lone surrogate stays as it is.</summary>
    public static void Append(CharBuffer output, ReadOnlySpan<char> text, NormalizationForm form)
    {
        var compose = form is NormalizationForm.FormC or NormalizationForm.FormKC;
        var compatibility = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        var stable = compose && !compatibility ? '\u0300' : '\u0080';
        if (text.IndexOfAnyExceptInRange('\0', (char)(stable - 1)) < 0)
        {
            output.Copy(text, 0);
            return;
        }

        var codePoints = new List<int>(text.Length + 16);
        // The characters that each code point is made of: of one that others were composed into those of its first, as in the Rust tokenizers.
        var sources = output.Origins is null ? null : new List<(int Start, int End)>();
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            Decompose(codePoints, CodePoint.Next(text, ref i), compatibility);
            while (sources is not null && sources.Count < codePoints.Count)
                sources.Add((start, i));
        }

        Order(codePoints);
        if (compose)
            Compose(codePoints, sources);
        for (var i = 0; i < codePoints.Count; i++)
        {
            if (sources is not null)
                output.From(sources[i].Start, sources[i].End);
            output.AppendCodePoint(codePoints[i]);
        }
    }

    private static void Decompose(List<int> output, int codePoint, bool compatibility)
    {
        var s = codePoint - SBase;
        if (s is >= 0 and < SCount)
        {
            output.Add(LBase + s / (VCount * TCount));
            output.Add(VBase + s % (VCount * TCount) / TCount);
            if (s % TCount != 0)
                output.Add(TBase + s % TCount);
        }
        else if (codePoint >= 0x80 && (UnicodeTables.Canonical.TryGetValue(codePoint, out var parts)
                     || (compatibility && UnicodeTables.Compatibility.TryGetValue(codePoint, out parts))))
        {
            foreach (var part in parts)
                Decompose(output, part, compatibility);
        }
        else
        {
            output.Add(codePoint);
        }
    }

    /// <summary>Canonical ordering: a stable sort of each run of non-starters by combining class.</summary>
    private static void Order(List<int> codePoints)
    {
        var classes = UnicodeTables.CombiningClasses;
        for (var i = 0; i < codePoints.Count; i++)
        {
            if (classes[codePoints[i]] == 0)
                continue;
            var end = i + 1;
            while (end < codePoints.Count && classes[codePoints[end]] != 0)
                end++;
            if (end - i > 1)
            {
                var sorted = codePoints.GetRange(i, end - i).OrderBy(c => classes[c]).ToList();
                for (var j = 0; j < sorted.Count; j++)
                    codePoints[i + j] = sorted[j];
            }

            i = end;
        }
    }

    private static void Compose(List<int> codePoints, List<(int Start, int End)>? sources)
    {
        var classes = UnicodeTables.CombiningClasses;
        int starter = -1, written = 0, lastClass = 0;
        for (var i = 0; i < codePoints.Count; i++)
        {
            var c = codePoints[i];
            var cc = classes[c];
            var adjacent = starter >= 0 && written == starter + 1;
            if (starter >= 0 && (adjacent || lastClass < cc) && Pair(codePoints[starter], c) is var pair and >= 0)
            {
                codePoints[starter] = pair;
                continue;
            }

            if (cc == 0)
                starter = written;
            lastClass = cc;
            if (sources is not null)
                sources[written] = sources[i];
            codePoints[written++] = c;
        }

        codePoints.RemoveRange(written, codePoints.Count - written);
    }

    private static int Pair(int first, int second)
    {
        if (first is >= LBase and < LBase + LCount && second is >= VBase and < VBase + VCount)
            return SBase + ((first - LBase) * VCount + (second - VBase)) * TCount;
        if (first is >= SBase and < SBase + SCount && (first - SBase) % TCount == 0 && second is > TBase and < TBase + TCount)
            return first + (second - TBase);
        return UnicodeTables.Compositions.GetValueOrDefault(((long)first << 32) | (uint)second, -1);
    }
}
