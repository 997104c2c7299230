namespace LoRA2.Native.Hosting.Models;

/// <summary>An adapter was asked for that a model does not have.</summary>
/// <param name="adapter">Its name.</param>
/// <param name="message">One sentence.</param>
/// <exception cref="ArgumentNullException">One is null.</exception>
public sealed class UnknownAdapterException(string adapter, string message) : Exception(message ?? throw new ArgumentNullException(nameof(message)))
{
    /// <summary>The adapter's name.</summary>
    public string Adapter { get; } = adapter ?? throw new ArgumentNullException(nameof(adapter));
}
