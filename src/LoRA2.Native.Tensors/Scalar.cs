namespace LoRA2.Native.Tensors;

/// <summary>
/// A number given to an op beside a tensor. It has a kind, integer or floating-point or truth, as it was written, but no width: <c>x + 1</c> keeps x's type, and
/// <c>x + 0.5</c> does unless x holds integers (<see cref="DTypeExtensions.With(DType, Scalar)"/>).
/// </summary>
public readonly record struct Scalar
{
    private Scalar(double value, bool isInteger, bool isTruth) => (Value, IsInteger, IsTruth) = (value, isInteger, isTruth);

    /// <summary>The number.</summary>
    public double Value { get; }

    /// <summary>Whether it was given as an integer.</summary>
    public bool IsInteger { get; }

    /// <summary>Whether it was given as true or false.</summary>
    public bool IsTruth { get; }

    /// <summary>A floating-point number.</summary>
    public static implicit operator Scalar(double value) => FromDouble(value);

    /// <summary>An integer.</summary>
    public static implicit operator Scalar(int value) => FromInt32(value);

    /// <summary>1 or 0.</summary>
    public static implicit operator Scalar(bool value) => FromBoolean(value);

    /// <summary>A floating-point number.</summary>
    public static Scalar FromDouble(double value) => new(value, false, false);

    /// <summary>An integer.</summary>
    public static Scalar FromInt32(int value) => new(value, true, false);

    /// <summary>1 or 0.</summary>
    public static Scalar FromBoolean(bool value) => new(value ? 1 : 0, false, true);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
