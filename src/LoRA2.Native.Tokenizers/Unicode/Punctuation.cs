namespace LoRA2.Native.Tokenizers.Unicode;

/// <summary>BERT's punctuation: every ASCII character that is neither letter, digit nor control, and the Unicode categories P*.</summary>
internal static class Punctuation
{
    /// <summary>Whether the Python tokenizers take it for punctuation.</summary>
    public static bool IsPython(int codePoint) =>
        codePoint < 128 ? IsAscii(codePoint) : UnicodeTables.PythonClasses[codePoint] == (byte)CharClass.Punctuation;

    /// <summary>Whether the Rust tokenizers take it for punctuation.</summary>
    public static bool IsRust(int codePoint) =>
        codePoint < 128 ? IsAscii(codePoint) : UnicodeTables.RustClasses[codePoint] == (byte)CharClass.Punctuation;

    private static bool IsAscii(int c) => c is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126);
}
