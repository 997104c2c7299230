using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>
/// Functions of two numbers, element by element: shapes broadcast as in NumPy, and types are promoted (<see cref="DTypeExtensions.With(DType, DType)"/>). Each also takes a
/// number in place of its second operand.
/// </content>
public static partial class Ops
{
    /// <summary>x + s, element by element.</summary>
    public static Tensor Add(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Binary(BinaryKind.Add, x, OperandOf(s, x));
    }

    /// <summary>x − s, element by element.</summary>
    public static Tensor Subtract(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Binary(BinaryKind.Subtract, x, OperandOf(s, x));
    }

    /// <summary>s x, element by element.</summary>
    public static Tensor Multiply(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.DType is DType.Float32 or DType.Float64 ? Scale(x, s.Value) : Binary(BinaryKind.Multiply, x, OperandOf(s, x));
    }

    /// <summary>s − x, element by element.</summary>
    public static Tensor Subtract(Scalar s, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Binary(BinaryKind.Subtract, OperandOf(s, x), x);
    }

    /// <summary>s / x, element by element.</summary>
    public static Tensor Divide(Scalar s, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Divide, OperandOf(s, x), x);
    }

    /// <summary>s^x, element by element.</summary>
    public static Tensor Power(Scalar s, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Power, OperandOf(s, x), x);
    }

    /// <summary>a / b, element by element. Integers are divided as Float32.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Divide(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Divide, a, b);
    }

    /// <inheritdoc cref="Divide(Tensor, Tensor)"/>
    public static Tensor Divide(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Divide, x, OperandOf(s, x));
    }

    /// <summary>⌊a / b⌋, element by element. The gradient is 0.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor FloorDivide(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.FloorDivide, a, b);
    }

    /// <inheritdoc cref="FloorDivide(Tensor, Tensor)"/>
    public static Tensor FloorDivide(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.FloorDivide, x, OperandOf(s, x));
    }

    /// <summary>a / b without its fraction, element by element. The gradient is 0.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor TruncateDivide(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.TruncateDivide, a, b);
    }

    /// <inheritdoc cref="TruncateDivide(Tensor, Tensor)"/>
    public static Tensor TruncateDivide(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.TruncateDivide, x, OperandOf(s, x));
    }

    /// <summary>a − b ⌊a / b⌋: the sign of b, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Remainder(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Remainder, a, b);
    }

    /// <inheritdoc cref="Remainder(Tensor, Tensor)"/>
    public static Tensor Remainder(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Remainder, x, OperandOf(s, x));
    }

    /// <summary>a − b trunc(a / b): the sign of a, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor FMod(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.FMod, a, b);
    }

    /// <inheritdoc cref="FMod(Tensor, Tensor)"/>
    public static Tensor FMod(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.FMod, x, OperandOf(s, x));
    }

    /// <summary>a^b, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Power(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Power, a, b);
    }

    /// <summary>x^s, element by element.</summary>
    public static Tensor Power(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.DType.IsFloat() && s.Value == 2 ? Square(x) : x.DType.IsFloat() && s.Value == 0 ? Tensor.Full(x.Shape, 1, x.DType, x.Device)
        : x.DType.IsFloat() ? Function(new UnaryFunction(UnaryKind.Power, s.Value), x) : Function(BinaryKind.Power, x, OperandOf(s, x));
    }

    /// <summary>The larger of a and b; NaN when either is, element by element. Equal ones share the gradient.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Maximum(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Maximum, a, b);
    }

    /// <inheritdoc cref="Maximum(Tensor, Tensor)"/>
    public static Tensor Maximum(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Maximum, x, OperandOf(s, x));
    }

    /// <summary>The smaller of a and b; NaN when either is, element by element. Equal ones share the gradient.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Minimum(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Minimum, a, b);
    }

    /// <inheritdoc cref="Minimum(Tensor, Tensor)"/>
    public static Tensor Minimum(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Minimum, x, OperandOf(s, x));
    }

    /// <summary>The angle of the point (b, a), −π … π, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Atan2(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Atan2, a, b);
    }

    /// <summary>√(a² + b²), element by element.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Hypot(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Hypot, a, b);
    }

    /// <summary>Whether a = b, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Equal(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Equal, a, b);
    }

    /// <inheritdoc cref="Equal(Tensor, Tensor)"/>
    public static Tensor Equal(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Equal, x, OperandOf(s, x));
    }

    /// <summary>Whether a ≠ b, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor NotEqual(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.NotEqual, a, b);
    }

    /// <inheritdoc cref="NotEqual(Tensor, Tensor)"/>
    public static Tensor NotEqual(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.NotEqual, x, OperandOf(s, x));
    }

    /// <summary>Whether a &lt; b, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Less(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Less, a, b);
    }

    /// <inheritdoc cref="Less(Tensor, Tensor)"/>
    public static Tensor Less(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Less, x, OperandOf(s, x));
    }

    /// <summary>Whether a ≤ b, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor LessOrEqual(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.LessOrEqual, a, b);
    }

    /// <inheritdoc cref="LessOrEqual(Tensor, Tensor)"/>
    public static Tensor LessOrEqual(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.LessOrEqual, x, OperandOf(s, x));
    }

    /// <summary>Whether a &gt; b, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor Greater(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.Greater, a, b);
    }

    /// <inheritdoc cref="Greater(Tensor, Tensor)"/>
    public static Tensor Greater(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.Greater, x, OperandOf(s, x));
    }

    /// <summary>Whether a ≥ b, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor GreaterOrEqual(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.GreaterOrEqual, a, b);
    }

    /// <inheritdoc cref="GreaterOrEqual(Tensor, Tensor)"/>
    public static Tensor GreaterOrEqual(Tensor x, Scalar s)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Function(BinaryKind.GreaterOrEqual, x, OperandOf(s, x));
    }

    /// <summary>Whether a and b, what is not 0 being true, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor LogicalAnd(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.LogicalAnd, a, b);
    }

    /// <summary>Whether a or b, what is not 0 being true, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor LogicalOr(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.LogicalOr, a, b);
    }

    /// <summary>Whether a or b but not both, what is not 0 being true, element by element: of Bool.</summary>
    /// <exception cref="ArgumentException">The shapes don't broadcast.</exception>
    public static Tensor LogicalXor(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Function(BinaryKind.LogicalXor, a, b);
    }

    /// <summary>A number as a tensor of rank 0, of the type in which it is computed with x.</summary>
    private static Tensor OperandOf(Scalar s, Tensor x) => Tensor.Full([], s.Value, x.DType.With(s), x.Device);

    private static Tensor Function(BinaryKind f, Tensor a, Tensor b)
    {
        Shape shape = Shape.Broadcast(a.Shape, b.Shape, f.OpName());
        DType type = a.DType.With(b.DType);
        if (f.NeedsFloat() && !type.IsFloat()) type = DType.Float32;
        if (type == DType.Bool && !f.IsPredicate()) type = DType.Int64;
        (a, b) = (Cast(a, type), Cast(b, type));
        if (type.IsFloat()) RequireFloating(f.OpName(), a);
        if (f < BinaryKind.Divide && type.IsFloat()) return Binary(f, a, b);
        Tensor y = Tensor.Empty(shape, f.IsPredicate() ? DType.Bool : type, a.Device);
        a.Device.Kernels.Binary(f, RawBroadcast(a, shape), RawBroadcast(b, shape), y);
        return !f.IsPredicate() && Tape.Records(a, b) ? Tape.Record(BinaryFunctionNode.Of(f, a, b, y), y) : y;
    }

    private static Tensor RawBroadcast(Tensor x, Shape shape) => x.Shape == shape ? x : BroadcastView(x, shape);
}
