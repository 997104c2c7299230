using System.Runtime.InteropServices;
using LoRA2.Native.Encoders.Weights;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Onnx;

/// <summary>A constant of a graph as a module's weight.</summary>
/// <param name="Tensor">The constant.</param>
/// <param name="IsTurned">Whether PyTorch's weight is the transpose of it.</param>
/// <param name="Node">The node that uses it; null where none that is known does.</param>
/// <param name="Rank">How its name is known; the lowest is the surest.</param>
internal sealed record GraphWeight(OnnxTensor Tensor, bool IsTurned, OnnxNode? Node, int Rank) : IWeight
{
    private readonly long[] shape = IsTurned ? [Tensor.Shape[1], Tensor.Shape[0]] : Tensor.Shape;

    public string File => Tensor.File;

    public ReadOnlySpan<long> Shape => shape;

    /// <summary>The elements as PyTorch has them, little-endian.</summary>
    /// <exception cref="InputException">They are in another file, which is missing or too short.</exception>
    public ReadOnlyMemory<byte> Read()
    {
        ReadOnlyMemory<byte> bytes = Tensor.Read();
        if (!IsTurned) return bytes;
        byte[] turned = new byte[bytes.Length];
        (int rows, int columns) = ((int)Tensor.Shape[0], (int)Tensor.Shape[1]);
        switch (Tensor.Type!.Value.Size())
        {
            case 2:
                Turn<ushort>(bytes.Span, turned, rows, columns);
                break;
            case 4:
                Turn<uint>(bytes.Span, turned, rows, columns);
                break;
            default:
                Turn<ulong>(bytes.Span, turned, rows, columns);
                break;
        }

        return turned;
    }

    public Tensor Load() => WeightBytes.ToTensor(File, Tensor.Name, Tensor.Type!.Value, Read(), shape);

    public override string ToString() => $"{Quote.Plain(Tensor.Name)} {Tensor.ShapeText}{(Node is null ? "" : $" of node {Quote.Plain(Node.Label)}")}";

    private static void Turn<T>(ReadOnlySpan<byte> from, Span<byte> to, int rows, int columns)
        where T : unmanaged
    {
        ReadOnlySpan<T> source = MemoryMarshal.Cast<byte, T>(from);
        Span<T> target = MemoryMarshal.Cast<byte, T>(to);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) target[(j * rows) + i] = source[(i * columns) + j];
        }
    }
}
