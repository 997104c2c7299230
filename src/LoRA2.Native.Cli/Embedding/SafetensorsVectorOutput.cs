using System.Runtime.InteropServices;
using LoRA2.Native.Inference;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Cli.Embedding;

/// <summary>A safetensors file with "vectors" [texts, dimensions] F32 and "tokens" [texts] I32.</summary>
internal sealed class SafetensorsVectorOutput(Stream stream, int dimensions) : VectorOutput
{
    private readonly List<TextVector> vectors = [];

    public override void Write(TextVector vector) => vectors.Add(vector);

    public override void Finish()
    {
        var writer = new SafetensorsWriter();
        writer.Add("vectors", SafetensorsDType.F32, [vectors.Count, dimensions], to =>
        {
            foreach (TextVector vector in vectors) to.Write(MemoryMarshal.AsBytes<float>(vector.Values));
        });
        int[] tokens = [.. vectors.Select(vector => vector.Tokens)];
        writer.Add("tokens", SafetensorsDType.I32, [vectors.Count], MemoryMarshal.AsBytes<int>(tokens).ToArray());
        writer.Write(stream);
    }
}
