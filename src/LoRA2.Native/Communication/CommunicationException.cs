namespace LoRA2.Native.Communication;

/// <summary>Processes that compute together can't any more: one ended, or was not heard of. What they had written is intact.</summary>
public sealed class CommunicationException(string message, Exception? inner = null) : Exception(message ?? throw new ArgumentNullException(nameof(message)), inner);
