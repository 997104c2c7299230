using FsCheck;
using FsCheck.Fluent;

namespace LoRA2.Native.Tests.Shared;

/// <summary>
/// A text to be hard on whatever reads it: words, white space of every kind, special tokens and their beginnings, combining and composed letters,
/// letters whose case is longer, halves of surrogate pairs.
/// </summary>
public sealed record Text(string Value)
{
    /// <summary>What texts are made of.</summary>
    public static IReadOnlyList<string> Fragments { get; } =
    [
        "the fox", " ", "  ", "\t\n", "[MASK]", "<mask>", "<s>", "[CLS", "é", "e\u0301", "\uD800", "\uDC00", "😀", "中", "\u0000", "\u200B", "İ",
        "ΑΣ", "한", "ﬁ", "▁", "Ġ", "##", "'s", "!!", "123", "\u0378", "\u1E9B\u0323", "aaaa", "\u00A0", "\u2028", "\uFFFD",
    ];

    public override string ToString() => $"\"{string.Concat(Value.Select(c => c is >= ' ' and < '\u007F' and not '"' and not '\\' ? c.ToString() : $"\\u{(int)c:X4}"))}\"";
}

/// <summary>Generators of what every test project knows.</summary>
public static class TextArbitraries
{
    /// <summary>Texts; shrunk to their parts.</summary>
    public static Arbitrary<Text> Texts() => Arb.From(Gen.OneOf(
        Gen.ListOf(Gen.Elements(Text.Fragments.ToArray())).Select(parts => string.Concat(parts)),
        Gen.ListOf(Gen.Choose(0, 0xFFFF)).Select(chars => string.Concat(chars.Select(c => (char)c)))).Select(value => new Text(value)), Shrink);

    /// <summary>The text without a part of it: halves first, single characters last.</summary>
    private static IEnumerable<Text> Shrink(Text text)
    {
        for (int length = (text.Value.Length + 1) / 2; length > 0; length /= 2)
        {
            for (int start = 0; start + length <= text.Value.Length; start += length) yield return new Text(text.Value.Remove(start, length));
        }
    }
}
