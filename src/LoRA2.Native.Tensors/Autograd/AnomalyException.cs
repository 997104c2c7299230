namespace LoRA2.Native.Tensors.Autograd;

/// <summary>An op produced, or was given as its gradient, a NaN or an infinity.</summary>
public sealed class AnomalyException(string op, string what) : Exception($"the {what ?? throw new ArgumentNullException(nameof(what))} of {op} holds a NaN or an infinity")
{
    /// <summary>The op's name.</summary>
    public string Op { get; } = op ?? throw new ArgumentNullException(nameof(op));
}
