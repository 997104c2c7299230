namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>A word (name, opcode, directive, number), a text in quotes, or one punctuation mark; with its line, from 1.</summary>
internal readonly record struct PtxToken(string Text, int Line, bool IsWord)
{
    public bool Is(string text) => Text == text;
}

/// <summary>Splits a PTX text into words and punctuation; comments are dropped.</summary>
internal static class PtxLexer
{
    public static List<PtxToken> Split(string text)
    {
        var tokens = new List<PtxToken>();
        int line = 1, i = 0;
        while (i < text.Length)
        {
            var c = text[i];
            if (c == '\n')
                line++;
            if (char.IsWhiteSpace(c) || c == '\uFEFF')
            {
                i++;
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '/')
            {
                while (i < text.Length && text[i] != '\n')
                    i++;
            }
            else if (c == '/' && i + 1 < text.Length && text[i + 1] == '*')
            {
                var end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
                end = end < 0 ? text.Length : end + 2;
                for (; i < end; i++)
                    line += text[i] == '\n' ? 1 : 0;
            }
            else if (c == '"')
            {
                var end = text.IndexOf('"', i + 1);
                if (end < 0)
                    throw new PtxException($"PTX line {line}: a quoted text has no end.");
                tokens.Add(new PtxToken(text[i..(end + 1)], line, false));
                i = end + 1;
            }
            else if (IsWordCharacter(text, i))
            {
                var start = i;
                while (i < text.Length && IsWordCharacter(text, i))
                    i += text[i] == ':' ? 2 : 1;
                tokens.Add(new PtxToken(text[start..i], line, true));
            }
            else
            {
                tokens.Add(new PtxToken(c.ToString(), line, false));
                i++;
            }
        }
        return tokens;
    }

    // "::" belongs to a word (".L2::128B"); a single ':' ends a label.
    private static bool IsWordCharacter(string text, int i) =>
        char.IsAsciiLetterOrDigit(text[i]) || text[i] is '_' or '$' or '%' or '.' || (text[i] == ':' && i + 1 < text.Length && text[i + 1] == ':');
}
