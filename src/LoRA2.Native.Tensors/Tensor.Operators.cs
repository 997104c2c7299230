namespace LoRA2.Native.Tensors;

/// <content>Operators: the ops of the same meaning, so that they are recorded like them.</content>
public sealed unsafe partial class Tensor
{
    /// <summary><see cref="Ops.Index"/>: <c>x[1..3, ^1]</c>.</summary>
    [System.Runtime.CompilerServices.IndexerName("At")]
    public Tensor this[params ReadOnlySpan<TensorIndex> indices] => Ops.Index(this, indices);

    /// <summary><see cref="Ops.Negate"/>.</summary>
    public static Tensor operator -(Tensor x) => Ops.Negate(x);

    /// <summary><see cref="Ops.LogicalNot"/>.</summary>
    public static Tensor operator !(Tensor x) => Ops.LogicalNot(x);

    /// <summary><see cref="Ops.Add(Tensor, Tensor)"/>.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => Ops.Add(a, b);

    /// <summary><see cref="Ops.Add(Tensor, Scalar)"/>.</summary>
    public static Tensor operator +(Tensor x, Scalar s) => Ops.Add(x, s);

    /// <summary><see cref="Ops.Add(Tensor, Tensor)"/>.</summary>
    public static Tensor operator +(Scalar s, Tensor x) => Ops.Add(x, s);

    /// <summary><see cref="Ops.Subtract(Tensor, Tensor)"/>.</summary>
    public static Tensor operator -(Tensor a, Tensor b) => Ops.Subtract(a, b);

    /// <summary><see cref="Ops.Subtract(Tensor, Scalar)"/>.</summary>
    public static Tensor operator -(Tensor x, Scalar s) => Ops.Subtract(x, s);

    /// <summary><see cref="Ops.Subtract(Tensor, Tensor)"/>.</summary>
    public static Tensor operator -(Scalar s, Tensor x) => Ops.Subtract(s, x);

    /// <summary><see cref="Ops.Multiply(Tensor, Tensor)"/>.</summary>
    public static Tensor operator *(Tensor a, Tensor b) => Ops.Multiply(a, b);

    /// <summary><see cref="Ops.Multiply(Tensor, Scalar)"/>.</summary>
    public static Tensor operator *(Tensor x, Scalar s) => Ops.Multiply(x, s);

    /// <summary><see cref="Ops.Multiply(Tensor, Tensor)"/>.</summary>
    public static Tensor operator *(Scalar s, Tensor x) => Ops.Multiply(x, s);

    /// <summary><see cref="Ops.Divide(Tensor, Tensor)"/>.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => Ops.Divide(a, b);

    /// <summary><see cref="Ops.Divide(Tensor, Scalar)"/>.</summary>
    public static Tensor operator /(Tensor x, Scalar s) => Ops.Divide(x, s);

    /// <summary><see cref="Ops.Divide(Tensor, Tensor)"/>.</summary>
    public static Tensor operator /(Scalar s, Tensor x) => Ops.Divide(s, x);

    /// <summary><see cref="Ops.Remainder(Tensor, Tensor)"/>.</summary>
    public static Tensor operator %(Tensor a, Tensor b) => Ops.Remainder(a, b);

    /// <summary><see cref="Ops.Remainder(Tensor, Scalar)"/>.</summary>
    public static Tensor operator %(Tensor x, Scalar s) => Ops.Remainder(x, s);

    /// <summary><see cref="Ops.Less(Tensor, Tensor)"/>.</summary>
    public static Tensor operator <(Tensor a, Tensor b) => Ops.Less(a, b);

    /// <summary><see cref="Ops.Less(Tensor, Scalar)"/>.</summary>
    public static Tensor operator <(Tensor x, Scalar s) => Ops.Less(x, s);

    /// <summary><see cref="Ops.LessOrEqual(Tensor, Tensor)"/>.</summary>
    public static Tensor operator <=(Tensor a, Tensor b) => Ops.LessOrEqual(a, b);

    /// <summary><see cref="Ops.LessOrEqual(Tensor, Scalar)"/>.</summary>
    public static Tensor operator <=(Tensor x, Scalar s) => Ops.LessOrEqual(x, s);

    /// <summary><see cref="Ops.Greater(Tensor, Tensor)"/>.</summary>
    public static Tensor operator >(Tensor a, Tensor b) => Ops.Greater(a, b);

    /// <summary><see cref="Ops.Greater(Tensor, Scalar)"/>.</summary>
    public static Tensor operator >(Tensor x, Scalar s) => Ops.Greater(x, s);

    /// <summary><see cref="Ops.GreaterOrEqual(Tensor, Tensor)"/>.</summary>
    public static Tensor operator >=(Tensor a, Tensor b) => Ops.GreaterOrEqual(a, b);

    /// <summary><see cref="Ops.GreaterOrEqual(Tensor, Scalar)"/>.</summary>
    public static Tensor operator >=(Tensor x, Scalar s) => Ops.GreaterOrEqual(x, s);

    /// <summary><see cref="Ops.LogicalAnd(Tensor, Tensor)"/>.</summary>
    public static Tensor operator &(Tensor a, Tensor b) => Ops.LogicalAnd(a, b);

    /// <summary><see cref="Ops.LogicalOr(Tensor, Tensor)"/>.</summary>
    public static Tensor operator |(Tensor a, Tensor b) => Ops.LogicalOr(a, b);

    /// <summary><see cref="Ops.LogicalXor(Tensor, Tensor)"/>.</summary>
    public static Tensor operator ^(Tensor a, Tensor b) => Ops.LogicalXor(a, b);
}
