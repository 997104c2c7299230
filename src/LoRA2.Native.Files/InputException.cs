namespace LoRA2.Native.Files;

/// <summary>The user's input (a file, an option, a row) is wrong; the message says which, what was found and what was expected, in one line.</summary>
public sealed class InputException : Exception
{
    /// <summary>Makes the exception.</summary>
    public InputException(string message, Exception? inner = null)
        : base(OneLine(message), inner)
    {
        ArgumentNullException.ThrowIfNull(message);
    }

    // What a hostile file says ends up in messages: whatever it is, a message stays one line.
    private static string OneLine(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message.Any(Breaks) ? new string([.. message.Select(c => Breaks(c) ? '?' : c)]) : message;
    }

    private static bool Breaks(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
