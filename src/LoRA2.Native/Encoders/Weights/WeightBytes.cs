using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Weights;

/// <summary>Makes tensors of weights that were read as bytes.</summary>
internal static class WeightBytes
{
    /// <summary>A Float32 tensor on the CPU.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="name">The weight's name there.</param>
    /// <param name="type">The elements' type: a floating-point one.</param>
    /// <param name="bytes">The elements, little-endian.</param>
    /// <param name="shape">The extents.</param>
    /// <exception cref="InputException">An element is a NaN or an infinity, or there are 2³¹ or more.</exception>
    public static Tensor ToTensor(string file, string name, SafetensorsDType type, ReadOnlyMemory<byte> bytes, ReadOnlySpan<long> shape)
    {
        if (shape.Length > Shape.MaxRank || bytes.Length / type.Size() > int.MaxValue) throw new InputException($"{file}: tensor {Quote.Name(name)} is too large; fewer than 2^31 elements on at most {Shape.MaxRank} axes were expected");
        Tensor tensor = Tensor.Empty(new Shape([.. shape.ToArray().Select(extent => checked((int)extent))]), DType.Float32, Device.Cpu);
        Span<float> elements = tensor.AsSpan<float>();
        ElementConversion.ToFloat32(type, bytes.Span, elements);
        int at = ElementConversion.IndexOfNonFinite(elements);
        return at < 0 ? tensor : throw new InputException($"{file}: tensor {Quote.Name(name)} has the value {elements[at]} at element {at}; finite numbers were expected");
    }
}
