namespace LoRA2.Native.Hosting.Models;

/// <summary>A text has more tokens than the model takes, and was not to be cut.</summary>
/// <param name="index">Its number among those that were given.</param>
/// <param name="most">Tokens that the model takes, special ones included.</param>
public sealed class TextTooLongException(int index, int most) : Exception($"text {index + 1} has more than the {most:N0} tokens that the model takes, and was not to be cut")
{
    /// <summary>Its number among those that were given.</summary>
    public int Index { get; } = index;
}
