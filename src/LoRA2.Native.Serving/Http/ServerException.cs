namespace LoRA2.Native.Serving.Http;

/// <summary>What a request is refused with.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">One sentence.</param>
internal sealed class ServerException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
