using System.Text;

namespace LoRA2.Native.Cli.Text;

/// <summary>A message as one line, whatever it quotes.</summary>
internal static class Sentence
{
    /// <summary>The most of one quotation.</summary>
    public const int LongestQuote = 200;

    /// <summary>Line ends and other control characters become spaces, and of what stands between quotes no more than <see cref="LongestQuote"/> characters stay.</summary>
    public static string Of(string message)
    {
        var line = new StringBuilder();
        char inside = '\0';
        int length = 0;
        for (int i = 0; i < message.Length; i++)
        {
            char c = message[i];
            if (char.IsControl(c) || c is '\u2028' or '\u2029') c = ' ';
            if (inside == '\0' && c is '\'' or '"' && (i == 0 || !char.IsLetterOrDigit(message[i - 1])))
            {
                (inside, length) = (c, 0);
            }
            else if (inside != '\0' && c == inside && (i + 1 == message.Length || !char.IsLetterOrDigit(message[i + 1])))
            {
                inside = '\0';
            }
            else if (inside != '\0' && ++length > LongestQuote)
            {
                if (length == LongestQuote + 1) line.Append('…');
                continue;
            }

            line.Append(c);
        }

        return line.ToString();
    }
}
