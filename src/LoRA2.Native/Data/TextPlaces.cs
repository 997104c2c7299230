namespace LoRA2.Native.Data;

/// <summary>Places in a text: .NET counts UTF-16, files and other languages as a rule code points.</summary>
public static class TextPlaces
{
    /// <summary>Where each code point begins in UTF-16, and where the text ends.</summary>
    public static int[] OfCodePoints(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var places = new List<int>(text.Length + 1);
        for (int i = 0; i < text.Length; i += char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1) places.Add(i);
        places.Add(text.Length);
        return [.. places];
    }

    /// <summary>How many code points there are before a place.</summary>
    public static int CodePointsBefore(string text, int place)
    {
        ArgumentNullException.ThrowIfNull(text);
        int count = 0;
        for (int i = 0; i < place; count++) i += char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
        return count;
    }
}
