using System.Text.RegularExpressions;

namespace LoRA2.Native.Data.Tagging;

/// <summary>Tags that are none of a scheme's and look like another spelling of them: B_PER, b-per, PER-B, U-PER, o.</summary>
internal static partial class OtherTags
{
    /// <summary>The first tag of another spelling, and how it is written here; null where tags are what they seem, such as parts of speech.</summary>
    /// <param name="tags">All tags that there are, each once, none with a scheme's prefix.</param>
    public static (string Tag, string Why)? Find(IReadOnlyList<string> tags)
    {
        string[] types = [.. tags.Where(tag => tag is not (EntityTags.Outside or "o" or "0"))];
        foreach (Regex spelling in (Regex[])[Underscored(), Small(), Behind(), Bilou()])
        {
            // Every tag that is not outside, or the beginning and the inside of one type: "e-mail" alone beside "phone" is no scheme.
            string[] such = [.. types.Where(tag => spelling.IsMatch(tag))];
            if (such.All(tag => spelling.Match(tag).Groups["at"].Value is "E" or "e" or "L" or "l")) continue;
            bool isPair = such.GroupBy(tag => spelling.Match(tag).Groups["type"].Value, StringComparer.Ordinal)
                .Any(group => group.Select(tag => char.ToUpperInvariant(spelling.Match(tag).Groups["at"].Value[0])).ToHashSet() is var letters && letters.Contains('B') && letters.Count > 1);
            if (isPair || such.Length == types.Length) return (such[0], OfOne(such[0])!);
        }

        if (types.Length > 0 && tags.Contains("o")) return ("o", OfOne("o")!);
        return types.Length > 0 && tags.Contains("0") && !types.All(tag => tag.All(char.IsAsciiDigit)) ? ("0", OfOne("0")!) : null;
    }

    /// <summary>What a tag looks like and how it is written here, or null.</summary>
    public static string? OfOne(string tag)
    {
        if (tag is "o" or "0") return "the tag of a word in no entity, which is written O, a capital letter";
        if (Bilou().Match(tag) is { Success: true } bilou)
        {
            string type = bilou.Groups["type"].Value;
            return tag[0] is 'U' or 'L' ? $"BILOU; in BIOES L-{type} is written E-{type} and U-{type} S-{type}" : $"BMES; in BIOES M-{type} is written I-{type}";
        }

        foreach (Regex spelling in (Regex[])[Underscored(), Small(), Behind()])
        {
            if (spelling.Match(tag) is not { Success: true } match) continue;
            char letter = char.ToUpperInvariant(match.Groups["at"].Value[0]);
            return $"{(letter switch { 'L' => 'E', 'U' => 'S', _ => letter })}-{match.Groups["type"].Value} in another spelling, expected the letter, a capital, and a hyphen before the type";
        }

        return null;
    }

    [GeneratedRegex("^(?<at>[BIESLUbieslu])_(?<type>.+)$")]
    private static partial Regex Underscored();

    [GeneratedRegex("^(?<at>[bieslu])-(?<type>.+)$")]
    private static partial Regex Small();

    [GeneratedRegex("^(?<type>.+)[-_](?<at>[BIESLU])$")]
    private static partial Regex Behind();

    [GeneratedRegex("^(?<at>[LUM])-(?<type>.+)$")]
    private static partial Regex Bilou();
}
