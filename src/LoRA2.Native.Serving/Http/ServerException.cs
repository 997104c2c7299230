namespace LoRA2.Native.Serving.Http;

/// <summary>What a request is refused with.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">One sentence.</param>
/// <param name="cause">What it came from, for the log; or null.</param>
internal sealed class ServerException(int status, string message, Exception? cause = null) : Exception(message, cause)
{
    public int Status { get; } = status;
}
