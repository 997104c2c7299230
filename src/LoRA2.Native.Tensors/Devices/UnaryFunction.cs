namespace LoRA2.Native.Tensors.Devices;

/// <summary>A function of one number that <see cref="Kernels.Unary"/> applies; one with parameters takes them from <see cref="UnaryFunction"/>.</summary>
internal enum UnaryKind
{
    Exp,
    Expm1,
    Log,
    Log1p,
    Log2,
    Log10,
    Sqrt,
    Rsqrt,
    Reciprocal,
    Square,
    Abs,
    Sign,
    Negate,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Asin,
    Acos,
    Atan,
    Asinh,
    Acosh,
    Atanh,
    Sigmoid,
    LogSigmoid,
    Erf,
    Erfc,
    Erfinv,
    LogGamma,

    /// <summary>The derivative of order A of the digamma function.</summary>
    Polygamma,
    Floor,
    Ceiling,
    Round,
    Truncate,

    /// <summary>ln(1 + e^(A x)) / A, and x itself where A x &gt; B.</summary>
    Softplus,

    /// <summary>C x above 0, A (e^x − 1) elsewhere; C is B.</summary>
    Elu,

    /// <summary>x above 0, A x elsewhere.</summary>
    LeakyRelu,

    /// <summary>min(max(x, A), B).</summary>
    Clamp,

    /// <summary>x min(max(x + 3, 0), 6) / 6.</summary>
    HardSwish,

    /// <summary>x^A.</summary>
    Power,

    // From here on the result is of Bool.
    IsNaN,
    IsInfinite,
    IsFinite,
    LogicalNot,
}

/// <summary>A function of one number with its parameters: what ops and kernels are given as a value.</summary>
internal readonly record struct UnaryFunction(UnaryKind Kind, double A = 0, double B = 0)
{
    /// <summary>Whether the result is of Bool, whatever the argument's type.</summary>
    public bool IsPredicate => Kind >= UnaryKind.IsNaN;

    /// <summary>Whether it maps integers to integers.</summary>
    public bool KeepsIntegers => Kind is UnaryKind.Square or UnaryKind.Abs or UnaryKind.Sign or UnaryKind.Negate or UnaryKind.Floor or UnaryKind.Ceiling or UnaryKind.Round or UnaryKind.Truncate or UnaryKind.Clamp;

    public static implicit operator UnaryFunction(UnaryKind kind) => new(kind);
}
