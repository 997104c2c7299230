using System.Runtime.InteropServices;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli.Embedding;

/// <summary>Vectors of some texts between processes: the tokens, whether the text was cut, and the numbers, little-endian.</summary>
internal static class VectorShard
{
    /// <summary>Writes them; returns how many texts were cut.</summary>
    public static int Write(IReadOnlyList<TextVector> vectors, Stream stream)
    {
        foreach (TextVector vector in vectors)
        {
            stream.Write(MemoryMarshal.AsBytes<int>([vector.Tokens, vector.IsCut ? 1 : 0]));
            stream.Write(MemoryMarshal.AsBytes<float>(vector.Values));
        }

        return vectors.Count(vector => vector.IsCut);
    }

    /// <summary>Writes what shards hold to an output, which is disposed.</summary>
    public static void Assemble(IEnumerable<Stream> shards, int dimensions, VectorOutput output)
    {
        using (output)
        {
            Span<int> header = [0, 0];
            foreach (Stream shard in shards)
            {
                while (shard.ReadAtLeast(MemoryMarshal.AsBytes(header), 8, throwOnEndOfStream: false) == 8)
                {
                    float[] values = new float[dimensions];
                    shard.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
                    output.Write(new TextVector(values, header[0], header[1] != 0));
                }
            }

            output.Finish();
        }
    }
}
