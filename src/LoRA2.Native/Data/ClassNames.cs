using System.Globalization;

namespace LoRA2.Native.Data;

/// <summary>
/// Which class a label names, where a model and data spell the same class differently: published models say <c>CONTRADICTION</c> or <c>LABEL_0</c> where the data
/// say <c>contradiction</c> or <c>0</c>.
/// </summary>
public static class ClassNames
{
    private const string Numbered = "LABEL_";

    private static readonly HashSet<string> Missing = new(StringComparer.OrdinalIgnoreCase) { "nan", "-nan", "null", "<na>", "#na", "#n/a", "#n/a n/a", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan" };

    /// <summary>
    /// The class that a label names: the one of that name; else the only one whose name differs from it in case, or in a space, dash or underscore, alone; else class i
    /// for <c>LABEL_i</c>, and for the plain number i where the names are <c>LABEL_0</c>, <c>LABEL_1</c>, … themselves.
    /// </summary>
    /// <returns>Its index, or −1 when the label names none.</returns>
    public static int IndexOf(IReadOnlyList<string> names, string label)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(label);
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == label) return i;
        }

        int found = -1;
        for (int i = 0; i < names.Count; i++)
        {
            if (!Alike(names[i], label)) continue;
            if (found >= 0) return -1;
            found = i;
        }

        if (found >= 0) return found;
        int number = NumberOf(label);
        if (number < 0 && AreNumbered(names)) number = PlainNumberOf(label);
        return number < names.Count ? number : -1;
    }

    /// <summary>The index of each class of one list in another of as many names, or null when they are not the same classes.</summary>
    public static int[]? Mapping(IReadOnlyList<string> from, IReadOnlyList<string> to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        int[] mapping = [.. from.Select(name => IndexOf(to, name))];
        return from.Count == to.Count && mapping.All(index => index >= 0) && mapping.Distinct().Count() == mapping.Length ? mapping : null;
    }

    /// <summary>Whether the names say nothing but their order: HuggingFace's own <c>LABEL_0</c>, <c>LABEL_1</c>, …, or 0, 1, ….</summary>
    public static bool SayOnlyTheOrder(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return AreNumbered(names) || names.Index().All(name => PlainNumberOf(name.Item) == name.Index);
    }

    /// <summary>Whether a label is none: empty, or what data frames, C's printf and spreadsheets write for a value that is missing. Of what pandas reads so, all but <see cref="MayBeMissing"/>.</summary>
    internal static bool IsMissing(string label) => string.IsNullOrWhiteSpace(label) || (label.Trim() is var word && (Missing.Contains(word) || word == "NaT"));

    /// <summary>Whether a label is a word that pandas reads as missing and that classes are called, too.</summary>
    internal static bool MayBeMissing(string label) => label.Trim() is "None" or "NA" or "N/A" or "n/a";

    private static bool AreNumbered(IReadOnlyList<string> names) => names.Index().All(name => NumberOf(name.Item) == name.Index);

    private static int NumberOf(string name) => name.StartsWith(Numbered, StringComparison.OrdinalIgnoreCase) ? PlainNumberOf(name.AsSpan(Numbered.Length)) : -1;

    private static int PlainNumberOf(ReadOnlySpan<char> text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;

    private static bool Is(string word, string other) => word.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static bool Alike(string one, string other) => Is(Plain(one), Plain(other));

    private static string Plain(string name) => name.Trim().Replace('_', ' ').Replace('-', ' ');
}
