namespace LoRA2.Native.Hosting;

/// <summary>What an adapter may be called: a name that is safe in a path, an address and a log.</summary>
internal static class AdapterNames
{
    public const string Rule = "a name of 1 to 64 letters, digits, '-', '_' and '.' that begins with a letter or digit";

    public static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetterOrDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
