namespace LoRA2.Native.Safetensors;

/// <summary>An element type of the safetensors format, in the format's own order (by which its writers sort, last first).</summary>
public enum SafetensorsDType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>8-bit unsigned integer.</summary>
    U8,

    /// <summary>8-bit signed integer.</summary>
    I8,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    F8E5M2,

    /// <summary>8-bit float, 4 exponent bits.</summary>
    F8E4M3,

    /// <summary>8-bit exponent (a scale).</summary>
    F8E8M0,

    /// <summary>16-bit signed integer.</summary>
    I16,

    /// <summary>16-bit unsigned integer.</summary>
    U16,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>32-bit signed integer.</summary>
    I32,

    /// <summary>32-bit unsigned integer.</summary>
    U32,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>Complex number of two binary32.</summary>
    C64,

    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>64-bit signed integer.</summary>
    I64,

    /// <summary>64-bit unsigned integer.</summary>
    U64,
}

/// <summary>Names and sizes of each <see cref="SafetensorsDType"/>.</summary>
public static class SafetensorsDTypeExtensions
{
    private static readonly string[] Names =
    [
        "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
    ];

    /// <summary>The name the file format uses: F32, BF16, …</summary>
    public static string FormatName(this SafetensorsDType dtype) => Names[(int)dtype];

    /// <summary>Bytes one element takes.</summary>
    public static int Size(this SafetensorsDType dtype) => dtype switch
    {
        <= SafetensorsDType.F8E8M0 => 1,
        <= SafetensorsDType.BF16 => 2,
        <= SafetensorsDType.F32 => 4,
        _ => 8,
    };

    /// <summary>Whether elements of this type can be read as float32: F32, F64, F16 and BF16.</summary>
    public static bool IsLoadableFloat(this SafetensorsDType dtype) => dtype is SafetensorsDType.F32 or SafetensorsDType.F64 or SafetensorsDType.F16 or SafetensorsDType.BF16;

    internal static bool TryParse(string name, out SafetensorsDType dtype)
    {
        int index = Array.IndexOf(Names, name);
        dtype = (SafetensorsDType)index;
        return index >= 0;
    }
}
