using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.PyTorch;

/// <summary>The few things of PyTorch's that a dictionary of tensors is pickled with.</summary>
internal static class TorchValues
{
    private const int MostAxes = 64;

    /// <summary>What a persistent id stands for: ('storage', class, key, device, elements).</summary>
    public static TorchStorage Storage(object? id, Func<string, InputException> error)
    {
        if (id is not object?[] { Length: >= 5 } parts || parts[0] is not "storage" || parts[1] is not GlobalName type || parts[2] is not string key || parts[4] is not long count || count < 0)
            throw error("a reference to something that is no storage of a tensor");
        return new TorchStorage(type is { Module: "torch" } ? TypeOf(type.Name) : null, type.ToString(), key, count);
    }

    /// <summary>The result of a call that a dictionary of tensors may make.</summary>
    public static object? Call(GlobalName function, object?[] arguments, Func<string, InputException> error) => (function.Module, function.Name) switch
    {
        ("collections", "OrderedDict") when arguments.Length == 0 => new Dictionary<string, object?>(StringComparer.Ordinal),
        ("torch._utils", "_rebuild_parameter") when arguments is [TorchTensor tensor, ..] => tensor,
        ("torch._utils", "_rebuild_tensor_v2") when arguments is [TorchStorage storage, long offset, object?[] shape, object?[] strides, ..] => Tensor(storage, offset, shape, strides, error),
        _ => throw error($"a call of {function}, which is not made: only tensors and what holds them are read"),
    };

    private static TorchTensor Tensor(TorchStorage storage, long offset, object?[] shape, object?[] strides, Func<string, InputException> error)
    {
        if (shape.Length != strides.Length || shape.Length > MostAxes || !shape.Concat(strides).All(number => number is >= 0L and < int.MaxValue) || offset < 0)
            throw error("a tensor whose shape, strides and offset do not fit each other");
        long[] extents = Array.ConvertAll(shape, extent => (long)extent!), steps = Array.ConvertAll(strides, step => (long)step!);
        (long count, long last) = (1, offset);
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents[i] > 0 && count > long.MaxValue / extents[i]) throw error("a tensor of more than 2^63 elements");
            count *= extents[i];
            last = checked(last + (Math.Max(0, extents[i] - 1) * steps[i]));
            if (last > storage.Count) break;
        }

        // A view may go through its storage in any order, but not beyond it, and not again and again.
        if (count > 0 && (last >= storage.Count || count > storage.Count))
            throw error($"a tensor [{string.Join(", ", extents)}] from element {offset} of a storage of {storage.Count}");
        return new TorchTensor(storage, offset, extents, steps);
    }

    private static SafetensorsDType? TypeOf(string storage) => storage switch
    {
        "FloatStorage" => SafetensorsDType.F32,
        "HalfStorage" => SafetensorsDType.F16,
        "BFloat16Storage" => SafetensorsDType.BF16,
        "DoubleStorage" => SafetensorsDType.F64,
        "LongStorage" => SafetensorsDType.I64,
        "IntStorage" => SafetensorsDType.I32,
        "ShortStorage" => SafetensorsDType.I16,
        "CharStorage" => SafetensorsDType.I8,
        "ByteStorage" => SafetensorsDType.U8,
        "BoolStorage" => SafetensorsDType.Bool,
        _ => null,
    };
}

/// <summary>Elements in a file of the archive.</summary>
/// <param name="Type">The elements' type; null: one that is not known here.</param>
/// <param name="TypeName">What PyTorch calls the storage.</param>
/// <param name="Key">The file's name below <c>data/</c>.</param>
/// <param name="Count">Number of elements.</param>
internal sealed record TorchStorage(SafetensorsDType? Type, string TypeName, string Key, long Count);

/// <summary>A view of a storage: element (i, j, …) is at Offset + i Strides[0] + j Strides[1] + ….</summary>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, extent) => product * extent);
}
