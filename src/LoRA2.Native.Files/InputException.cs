namespace LoRA2.Native.Files;

/// <summary>The user's input (a file, an option, a row) is wrong; the message says which, what was found and what was expected.</summary>
public sealed class InputException : Exception
{
    /// <summary>Makes the exception.</summary>
    public InputException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
