using System.Text.RegularExpressions;
using LoRA2.Native.Data.Tagging;

namespace LoRA2.Native.Data;

/// <summary>How tags say where an entity begins and ends.</summary>
public sealed partial class TagScheme
{
    private readonly string prefixes;

    private TagScheme(string name, string prefixes) => (Name, this.prefixes) = (name, prefixes);

    /// <summary>B- for an entity's first word, I- for the others (also called IOB2).</summary>
    public static TagScheme Bio { get; } = new("bio", "BI");

    /// <summary>I- for an entity's words, B- only for the first word of one right behind another of its type; it is read as <see cref="Bio"/>.</summary>
    public static TagScheme Iob1 { get; } = new("iob1", "BI");

    /// <summary>B-, I- and E- for the first, inner and last word of an entity, S- for one of a single word.</summary>
    public static TagScheme Bioes { get; } = new("bioes", "BIES");

    /// <summary>Tags without prefixes, such as parts of speech.</summary>
    public static TagScheme Plain { get; } = new("plain", "");

    /// <summary>The schemes.</summary>
    public static IReadOnlyList<TagScheme> All { get; } = [Bio, Iob1, Bioes, Plain];

    /// <summary>What options call it.</summary>
    public string Name { get; }

    /// <summary>The scheme that tags are of, by their prefixes. One tag with a prefix is enough, so that a damaged one among them is an error and no kind of its own.</summary>
    public static TagScheme Of(IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        string[] prefixed = [.. tags.Distinct().Where(tag => Prefixed().IsMatch(tag))];
        return prefixed.Length == 0 ? Plain : prefixed.Any(tag => tag[0] is 'E' or 'S') ? Bioes : Bio;
    }

    /// <summary>All tags of some types, O first.</summary>
    public string[] TagsOf(IEnumerable<string> types)
    {
        ArgumentNullException.ThrowIfNull(types);
        return [EntityTags.Outside, .. types.SelectMany(type => prefixes.Select(prefix => $"{prefix}-{type}"))];
    }

    /// <summary>All tags of the types that tags have, O first, the types in ordinal order; without a scheme the tags themselves.</summary>
    public string[] TagsFor(IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        IEnumerable<string> distinct = tags.Distinct();
        return this == Plain
            ? [.. distinct.OrderBy(tag => tag == EntityTags.Outside ? 0 : 1).ThenBy(tag => tag, StringComparer.Ordinal)]
            : TagsOf(distinct.Where(tag => tag != EntityTags.Outside).Select(tag => EntityTags.Split(tag).Type).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>The tag of a word.</summary>
    /// <param name="type">The entity's type.</param>
    /// <param name="isFirst">Whether it is the entity's first word.</param>
    /// <param name="isLast">Whether it is its last.</param>
    public string TagOf(string type, bool isFirst, bool isLast)
    {
        ArgumentNullException.ThrowIfNull(type);
        return this == Bioes ? $"{(isFirst ? isLast ? 'S' : 'B' : isLast ? 'E' : 'I')}-{type}" : $"{(isFirst ? 'B' : 'I')}-{type}";
    }

    /// <summary>The first tag that breaks the rules, and how; null when none does.</summary>
    public (int Word, string Why)? WhatIsWrong(IReadOnlyList<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        if (this == Plain) return null;
        string before = EntityTags.Outside;
        for (int i = 0; i <= tags.Count; i++)
        {
            string tag = i < tags.Count ? tags[i] : EntityTags.Outside;
            if (tag != EntityTags.Outside && !(Prefixed().IsMatch(tag) && prefixes.Contains(tag[0], StringComparison.Ordinal)))
                return (i, $"is none of {Name.ToUpperInvariant()}'s, expected O or {string.Join(", ", prefixes.Select(prefix => $"{prefix}-"))} and a type{(OtherTags.OfOne(tag) is { } other ? $"; it looks like {other}" : $", or the scheme {Plain} to be asked for")}");
            (char last, string lastType) = EntityTags.Split(before);
            (char now, string type) = EntityTags.Split(tag);
            bool isOpen = this == Bioes ? last is 'B' or 'I' : before != EntityTags.Outside;
            if (now is 'I' or 'E' && tag != EntityTags.Outside && !(isOpen && type == lastType))
                return (i, $"follows {before}, expected B-{type} or I-{type} before it{(this == Bio && now == 'I' ? "; in IOB1 I- may begin an entity: ask for it by --tag-scheme iob1" : "")}");
            if (this == Bioes && last is 'B' or 'I' && !(now is 'I' or 'E')) return (Math.Max(0, i - 1), $"is followed by {tag}, expected an end, E-{lastType}, after it");
            before = tag;
        }

        return null;
    }

    /// <summary>Rewrites IOB1 as BIO.</summary>
    public static void ToBio(string[] tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        string before = EntityTags.Outside;
        for (int i = 0; i < tags.Length; i++)
        {
            string given = tags[i];
            bool begins = before == EntityTags.Outside || EntityTags.Split(before).Type != EntityTags.Split(given).Type;
            if (given.StartsWith("I-", StringComparison.Ordinal) && begins) tags[i] = "B-" + given[2..];
            before = given;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    [GeneratedRegex("^[BIES]-.+$")]
    private static partial Regex Prefixed();
}
