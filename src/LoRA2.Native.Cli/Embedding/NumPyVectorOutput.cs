using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli.Embedding;

/// <summary>NumPy's format, version 1.0: a header of 128 bytes and the numbers, little-endian float32, [texts, dimensions].</summary>
internal sealed class NumPyVectorOutput : VectorOutput
{
    private const int HeaderBytes = 128;

    private readonly Stream stream;
    private readonly int dimensions;
    private long count;

    public NumPyVectorOutput(Stream stream, int dimensions)
    {
        this.stream = stream;
        this.dimensions = dimensions;
        WriteHeader();
    }

    public override void Write(TextVector vector)
    {
        stream.Write(MemoryMarshal.AsBytes<float>(vector.Values));
        count++;
    }

    public override void Finish()
    {
        stream.Position = 0;
        WriteHeader();
        stream.Position = stream.Length;
    }

    private void WriteHeader()
    {
        byte[] header = new byte[HeaderBytes];
        header.AsSpan().Fill((byte)' ');
        header[^1] = (byte)'\n';
        ((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, HeaderBytes - 10, 0]).CopyTo(header);
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {dimensions}), }}")).CopyTo(header, 10);
        stream.Write(header);
    }
}
