namespace LoRA2.Native.Tensors.Devices;

/// <summary>A function of two numbers that <see cref="Kernels.Binary"/> applies.</summary>
internal enum BinaryKind
{
    Add,
    Subtract,
    Multiply,
    Divide,

    /// <summary>⌊a / b⌋.</summary>
    FloorDivide,

    /// <summary>a / b without its fraction.</summary>
    TruncateDivide,

    /// <summary>a − b ⌊a / b⌋: the sign of b.</summary>
    Remainder,

    /// <summary>a − b trunc(a / b): the sign of a.</summary>
    FMod,
    Power,

    /// <summary>The larger; NaN when either is.</summary>
    Maximum,

    /// <summary>The smaller; NaN when either is.</summary>
    Minimum,
    Atan2,
    Hypot,

    // From here on the result is of Bool.
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,

    /// <summary>Between truth values: what is not 0 is true.</summary>
    LogicalAnd,
    LogicalOr,
    LogicalXor,
}

/// <summary>Facts about each <see cref="BinaryKind"/>.</summary>
internal static class BinaryKinds
{
    /// <summary>Whether the result is of Bool, whatever the arguments' type.</summary>
    public static bool IsPredicate(this BinaryKind kind) => kind >= BinaryKind.Equal;

    /// <summary>Whether integers are divided as floating-point numbers first.</summary>
    public static bool NeedsFloat(this BinaryKind kind) => kind is BinaryKind.Divide or BinaryKind.Atan2 or BinaryKind.Hypot;

    /// <summary>The name of its op. (An enum's own ToString makes an object.)</summary>
    public static string OpName(this BinaryKind kind) => kind switch
    {
        BinaryKind.Add => "Add",
        BinaryKind.Subtract => "Subtract",
        BinaryKind.Multiply => "Multiply",
        BinaryKind.Divide => "Divide",
        _ => kind.ToString(),
    };
}
