namespace LoRA2.Native.Hosting.Models;

/// <summary>An adapter was asked for that a model does not have.</summary>
/// <param name="adapter">Its name.</param>
/// <param name="message">One sentence.</param>
public sealed class UnknownAdapterException(string adapter, string message) : Exception(message)
{
    /// <summary>The adapter's name.</summary>
    public string Adapter { get; } = adapter;
}
