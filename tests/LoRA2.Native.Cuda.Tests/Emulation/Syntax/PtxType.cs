namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>The kinds of value that a type stands for.</summary>
internal enum PtxTypeClass
{
    Bits,
    Unsigned,
    Signed,
    Float,
    Predicate,
}

/// <summary>A fundamental type of PTX: its class and its size in bytes (0 for a predicate).</summary>
internal readonly record struct PtxType(PtxTypeClass Class, int Size, bool BFloat = false)
{
    public static readonly PtxType B16 = new(PtxTypeClass.Bits, 2);
    public static readonly PtxType B32 = new(PtxTypeClass.Bits, 4);
    public static readonly PtxType B64 = new(PtxTypeClass.Bits, 8);
    public static readonly PtxType U32 = new(PtxTypeClass.Unsigned, 4);
    public static readonly PtxType U64 = new(PtxTypeClass.Unsigned, 8);
    public static readonly PtxType F32 = new(PtxTypeClass.Float, 4);
    public static readonly PtxType Predicate = new(PtxTypeClass.Predicate, 0);

    public bool IsFloat => Class == PtxTypeClass.Float;

    public bool IsSigned => Class == PtxTypeClass.Signed;

    public bool IsInteger => Class is PtxTypeClass.Signed or PtxTypeClass.Unsigned or PtxTypeClass.Bits;

    /// <summary>The type that <paramref name="name"/> (without its dot) stands for, or null.</summary>
    public static PtxType? Find(string name) => name switch
    {
        "pred" => Predicate,
        "bf16" => new PtxType(PtxTypeClass.Float, 2, BFloat: true),
        _ when name.Length is 2 or 3 && int.TryParse(name.AsSpan(1), out var bits) && bits is 8 or 16 or 32 or 64 => name[0] switch
        {
            'b' => new PtxType(PtxTypeClass.Bits, bits / 8),
            'u' => new PtxType(PtxTypeClass.Unsigned, bits / 8),
            's' => new PtxType(PtxTypeClass.Signed, bits / 8),
            'f' when bits != 8 => new PtxType(PtxTypeClass.Float, bits / 8),
            _ => null,
        },
        _ => null,
    };

    public override string ToString() => Class switch
    {
        PtxTypeClass.Predicate => ".pred",
        _ when BFloat => ".bf16",
        PtxTypeClass.Bits => ".b" + Size * 8,
        PtxTypeClass.Unsigned => ".u" + Size * 8,
        PtxTypeClass.Signed => ".s" + Size * 8,
        _ => ".f" + Size * 8,
    };
}
