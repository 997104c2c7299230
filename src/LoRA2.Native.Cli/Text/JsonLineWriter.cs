using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoRA2.Native.Cli.Text;

/// <summary>
/// Writes one JSON value a line. What any reader might take for the end of a line (U+0085, U+2028, …) is escaped.
/// </summary>
internal sealed class JsonLineWriter(Stream stream) : IDisposable
{
    private const int FlushAt = 1 << 16;

    private readonly ArrayBufferWriter<byte> buffer = new(FlushAt * 2);
    private readonly Utf8JsonWriter json = new(Stream.Null, Relaxed);

    /// <summary>Non-ASCII characters as they are.</summary>
    private static JsonWriterOptions Relaxed { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Write(Action<Utf8JsonWriter> value)
    {
        json.Reset(buffer);
        value(json);
        json.Flush();
        buffer.Write("\n"u8);
        if (buffer.WrittenCount >= FlushAt) Flush();
    }

    public void Flush()
    {
        stream.Write(buffer.WrittenSpan);
        stream.Flush();
        buffer.ResetWrittenCount();
    }

    public void Dispose()
    {
        Flush();
        json.Dispose();
    }
}
