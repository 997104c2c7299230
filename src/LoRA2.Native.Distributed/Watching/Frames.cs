using System.Buffers.Binary;
using System.Text;

namespace LoRA2.Native.Distributed.Watching;

/// <summary>What processes tell each other beside MPI.</summary>
internal enum FrameKind : byte
{
    /// <summary>That the sender is there.</summary>
    Alive,

    /// <summary>That the sender ends, and why; to process 0.</summary>
    Ending,

    /// <summary>That all have to end, and why; from process 0.</summary>
    End,

    /// <summary>That the sender is done and leaves.</summary>
    Leaving,
}

/// <summary>Messages on a stream: the kind, an exit code, the text's length and its bytes.</summary>
internal static class Frames
{
    private const int HeaderBytes = 9;
    private const int MostText = 1 << 16;

    public static void Write(Stream stream, FrameKind kind, int code = 0, string text = "")
    {
        byte[] said = Encoding.UTF8.GetBytes(text);
        if (said.Length > MostText) said = said[..MostText];
        byte[] frame = new byte[HeaderBytes + said.Length];
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(1), code);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(5), said.Length);
        said.CopyTo(frame, HeaderBytes);
        stream.Write(frame);
    }

    /// <exception cref="IOException">The other end is no more, silent, or says what nobody here would.</exception>
    public static (FrameKind Kind, int Code, string Text) Read(Stream stream)
    {
        byte[] header = new byte[HeaderBytes];
        stream.ReadExactly(header);
        int length = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(5));
        if (length is < 0 or > MostText || header[0] > (byte)FrameKind.Leaving) throw new IOException("not a message of this program");
        byte[] said = new byte[length];
        stream.ReadExactly(said);
        return ((FrameKind)header[0], BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(1)), Encoding.UTF8.GetString(said));
    }
}
