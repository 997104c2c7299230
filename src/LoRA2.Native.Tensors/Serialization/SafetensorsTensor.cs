using System.Runtime.InteropServices;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Serialization;

/// <summary>Between entries of safetensors files and tensors.</summary>
public static class SafetensorsTensor
{
    /// <summary>
    /// An entry as a Float32 tensor on the CPU, or Int32 for integers. The elements are copied: a mapped file that somebody cuts short later would take
    /// the process down.
    /// </summary>
    /// <exception cref="InputException">The entry's type can't be converted, a value is a NaN or an infinity, or it has 2³¹ elements or more.</exception>
    public static Tensor Load(SafetensorsFile file, SafetensorsEntry entry)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(entry);
        Shape shape = ShapeOf(entry);
        entry.RequireLoadable();
        bool isFloat = entry.Type.IsLoadableFloat();
        Tensor tensor = Tensor.Empty(shape, isFloat ? DType.Float32 : DType.Int32, Device.Cpu);
        if (isFloat) file.ReadFiniteFloat32(entry, tensor.AsSpan<float>());
        else file.ReadInt32(entry, tensor.AsSpan<int>());
        return tensor;
    }

    /// <summary>As <see cref="Load"/>, of weights: integers are refused.</summary>
    /// <exception cref="InputException">As of <see cref="Load"/>, or the entry holds integers.</exception>
    public static Tensor LoadFloats(SafetensorsFile file, SafetensorsEntry entry)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Type.IsLoadableFloat()
        ? Load(file, entry)
        : throw new InputException($"{file.Path}: tensor '{entry.Name}' has dtype {entry.Type.FormatName()}; F32, F16, BF16 or F64 was expected");
    }

    /// <summary>Adds a contiguous tensor to a file being written, as it is or converted to another floating type.</summary>
    /// <exception cref="InputException">A value is a NaN or an infinity, or too large for the type.</exception>
    public static void Add(this SafetensorsWriter writer, string name, Tensor tensor, DType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = new TensorScope();
        tensor = tensor.To(Device.Cpu);
        DType stored = dtype ?? tensor.DType;
        byte[] bytes = new byte[tensor.Count * stored.Size()];
        if (stored == tensor.DType) Bytes(tensor).CopyTo(bytes);
        else ElementConversion.FromFloat32(tensor.AsSpan<float>(), ToFormat(stored), bytes);
        int at = ElementConversion.IndexOfNonFinite(ToFormat(stored), bytes);
        if (at >= 0) throw NotFinite(name, tensor, at, stored);
        writer.Add(name, ToFormat(stored), [.. tensor.Shape.Extents.ToArray().Select(extent => (long)extent)], bytes);
    }

    private static InputException NotFinite(string name, Tensor tensor, int at, DType stored)
    {
        double value = tensor.DType == DType.Float32 ? tensor.AsSpan<float>()[at] : double.NaN;
        string text = value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return double.IsFinite(value)
            ? new InputException($"tensor '{name}' has the value {text} at element {at}, too large for {stored.ToString().ToLowerInvariant()}{(stored == DType.Float16 ? ", which ends at 65504; take bfloat16 or float32" : "; take float32")}")
            : new InputException($"tensor '{name}' has the value {text} at element {at}; only finite numbers are written");
    }

    private static SafetensorsDType ToFormat(DType dtype) => dtype switch
    {
        DType.Float32 => SafetensorsDType.F32,
        DType.Float64 => SafetensorsDType.F64,
        DType.Float16 => SafetensorsDType.F16,
        DType.BFloat16 => SafetensorsDType.BF16,
        DType.Int32 => SafetensorsDType.I32,
        DType.Int64 => SafetensorsDType.I64,
        DType.Bool => SafetensorsDType.Bool,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type."),
    };

    private static ReadOnlySpan<byte> Bytes(Tensor tensor) => tensor.DType switch
    {
        DType.Float32 => MemoryMarshal.AsBytes(tensor.AsSpan<float>()),
        DType.Float64 => MemoryMarshal.AsBytes(tensor.AsSpan<double>()),
        DType.Int32 => MemoryMarshal.AsBytes(tensor.AsSpan<int>()),
        DType.Int64 => MemoryMarshal.AsBytes(tensor.AsSpan<long>()),
        DType.Bool => MemoryMarshal.AsBytes(tensor.AsSpan<bool>()),
        DType.Float16 => MemoryMarshal.AsBytes(tensor.AsSpan<Half>()),
        _ => MemoryMarshal.AsBytes(tensor.AsSpan<ushort>()),
    };

    private static Shape ShapeOf(SafetensorsEntry entry)
    {
        int[] extents = new int[entry.Shape.Length];
        if (entry.ElementCount > int.MaxValue) throw new InputException($"{entry.File}: tensor '{entry.Name}' {entry.ShapeText} has 2^31 elements or more");
        if (extents.Length > Shape.MaxRank) throw new InputException($"{entry.File}: tensor '{entry.Name}' {entry.ShapeText} has {extents.Length} axes; at most {Shape.MaxRank} were expected");
        for (int i = 0; i < extents.Length; i++)
        {
            if (entry.Shape[i] > int.MaxValue) throw new InputException($"{entry.File}: tensor '{entry.Name}' {entry.ShapeText} has an extent of 2^31 or more");
            extents[i] = (int)entry.Shape[i];
        }

        return new Shape(extents);
    }
}
