using System.Text.Json;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>The arguments of a sample, by position or by PyTorch's name.</summary>
internal sealed class OpCall(JsonElement args, JsonElement kwargs, Func<string, Tensor> tensor)
{
    public int Count => args.GetArrayLength();

    public static bool IsTensor(JsonElement? value) => value is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty("tensor", out _);

    /// <summary>The tensor at a position.</summary>
    public Tensor X(int position = 0, string name = "") => Maybe(position, name) ?? throw new InvalidDataException($"argument {position} '{name}' is no tensor");

    /// <summary>The tensor at a position, or null where there is none.</summary>
    public Tensor? Maybe(int position, string name) => Find(position, name) is { } value && IsTensor(value) ? Of(value) : null;

    /// <summary>The tensors of a list.</summary>
    public Tensor[] List(int position, string name = "") => [.. Find(position, name)!.Value.EnumerateArray().Select(Of)];

    public double Number(int position, string name, double otherwise) => Find(position, name) is { } value ? NumberOf(value) : otherwise;

    public int Int(int position, string name, int otherwise) => Find(position, name) is { } value ? IsTensor(value) ? (int)Of(value).Item() : value.GetInt32() : otherwise;

    public bool Flag(int position, string name, bool otherwise = false) => Find(position, name) is { } value ? value.GetBoolean() : otherwise;

    public string? Text(int position, string name) => Find(position, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>An integer or a list of them; null where there is none.</summary>
    public int[]? Ints(int position, string name = "") => Find(position, name) is { } value ? IntsOf(value) : null;

    /// <summary>A number as it was written: an integer, or floating point.</summary>
    public Scalar Scalar(int position, string name = "")
    {
        JsonElement value = Find(position, name)!.Value;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int integer) && !value.GetRawText().Contains('.') ? integer : NumberOf(value);
    }

    /// <summary>An argument; null where it is not given, or None.</summary>
    public JsonElement? Find(int position, string name)
    {
        if (position >= 0 && position < args.GetArrayLength()) return args[position].ValueKind == JsonValueKind.Null ? null : args[position];
        return name.Length > 0 && kwargs.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public static int[] IntsOf(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(one => one.GetInt32())] : [value.GetInt32()];

    public Tensor Of(JsonElement value) => tensor(value.GetProperty("tensor").GetString()!);

    public static double NumberOf(JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean() ? 1 : 0;
        if (value.ValueKind == JsonValueKind.Number) return value.GetDouble();
        return value.GetProperty("float").GetString() switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            _ => double.NaN,
        };
    }
}
