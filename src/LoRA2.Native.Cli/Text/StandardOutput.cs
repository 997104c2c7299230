namespace LoRA2.Native.Cli.Text;

/// <summary>Standard output, which says so when it can't be written to: the system's words alone would not tell where.</summary>
/// <param name="stream">What is written to; null where the process was started without one, and whoever has something to write fails.</param>
internal sealed class StandardOutput(Stream? stream) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length == 0) return;
        if (stream is null) throw new IOException("standard output is closed");
        try
        {
            stream.Write(buffer);
        }
        catch (IOException e)
        {
            throw Named(e);
        }
    }

    public override void Flush()
    {
        try
        {
            stream?.Flush();
        }
        catch (IOException e)
        {
            throw Named(e);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static IOException Named(IOException e) => new($"standard output: {e.Message}", e);
}
