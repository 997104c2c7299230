using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>
/// Functions of one number, element by element. Integers are computed as Float32, but where a function keeps them. The derivatives, at kinks and poles too, are PyTorch's.
/// </content>
public static partial class Ops
{
    /// <summary>e^x, element by element.</summary>
    public static Tensor Exp(Tensor x) => Function(UnaryKind.Exp, x);

    /// <summary>e^x − 1, without loss of digits near 0, element by element.</summary>
    public static Tensor Expm1(Tensor x) => Function(UnaryKind.Expm1, x);

    /// <summary>ln x, element by element.</summary>
    public static Tensor Log(Tensor x) => Function(UnaryKind.Log, x);

    /// <summary>ln(1 + x), without loss of digits near 0, element by element.</summary>
    public static Tensor Log1p(Tensor x) => Function(UnaryKind.Log1p, x);

    /// <summary>log₂ x, element by element.</summary>
    public static Tensor Log2(Tensor x) => Function(UnaryKind.Log2, x);

    /// <summary>log₁₀ x, element by element.</summary>
    public static Tensor Log10(Tensor x) => Function(UnaryKind.Log10, x);

    /// <summary>√x, element by element.</summary>
    public static Tensor Sqrt(Tensor x) => Function(UnaryKind.Sqrt, x);

    /// <summary>1 / √x, element by element.</summary>
    public static Tensor Rsqrt(Tensor x) => Function(UnaryKind.Rsqrt, x);

    /// <summary>1 / x, element by element.</summary>
    public static Tensor Reciprocal(Tensor x) => Function(UnaryKind.Reciprocal, x);

    /// <summary>x², element by element.</summary>
    public static Tensor Square(Tensor x) => Function(UnaryKind.Square, x);

    /// <summary>|x|, element by element. The gradient at 0 is 0.</summary>
    public static Tensor Abs(Tensor x) => Function(UnaryKind.Abs, x);

    /// <summary>−1, 0 or 1 as x is negative, 0 or positive, element by element. The gradient is 0.</summary>
    public static Tensor Sign(Tensor x) => Function(UnaryKind.Sign, x);

    /// <summary>−x, element by element.</summary>
    public static Tensor Negate(Tensor x) => Function(UnaryKind.Negate, x);

    /// <summary>sin x, element by element.</summary>
    public static Tensor Sin(Tensor x) => Function(UnaryKind.Sin, x);

    /// <summary>cos x, element by element.</summary>
    public static Tensor Cos(Tensor x) => Function(UnaryKind.Cos, x);

    /// <summary>tan x, element by element.</summary>
    public static Tensor Tan(Tensor x) => Function(UnaryKind.Tan, x);

    /// <summary>sinh x, element by element.</summary>
    public static Tensor Sinh(Tensor x) => Function(UnaryKind.Sinh, x);

    /// <summary>cosh x, element by element.</summary>
    public static Tensor Cosh(Tensor x) => Function(UnaryKind.Cosh, x);

    /// <summary>arcsin x, element by element.</summary>
    public static Tensor Asin(Tensor x) => Function(UnaryKind.Asin, x);

    /// <summary>arccos x, element by element.</summary>
    public static Tensor Acos(Tensor x) => Function(UnaryKind.Acos, x);

    /// <summary>arctan x, element by element.</summary>
    public static Tensor Atan(Tensor x) => Function(UnaryKind.Atan, x);

    /// <summary>arsinh x, element by element.</summary>
    public static Tensor Asinh(Tensor x) => Function(UnaryKind.Asinh, x);

    /// <summary>arcosh x, element by element.</summary>
    public static Tensor Acosh(Tensor x) => Function(UnaryKind.Acosh, x);

    /// <summary>artanh x, element by element.</summary>
    public static Tensor Atanh(Tensor x) => Function(UnaryKind.Atanh, x);

    /// <summary>1 / (1 + e^−x), element by element.</summary>
    public static Tensor Sigmoid(Tensor x) => Function(UnaryKind.Sigmoid, x);

    /// <summary>ln(1 / (1 + e^−x)), without overflow, element by element.</summary>
    public static Tensor LogSigmoid(Tensor x) => Function(UnaryKind.LogSigmoid, x);

    /// <summary>erf x = 2/√π ∫₀ˣ e^−t² dt, element by element.</summary>
    public static Tensor Erf(Tensor x) => Function(UnaryKind.Erf, x);

    /// <summary>1 − erf x, without loss of digits, element by element.</summary>
    public static Tensor Erfc(Tensor x) => Function(UnaryKind.Erfc, x);

    /// <summary>the y with erf y = x, element by element.</summary>
    public static Tensor Erfinv(Tensor x) => Function(UnaryKind.Erfinv, x);

    /// <summary>ln |Γ(x)|, element by element.</summary>
    public static Tensor LogGamma(Tensor x) => Function(UnaryKind.LogGamma, x);

    /// <summary>the largest integer that is not above x, element by element. The gradient is 0.</summary>
    public static Tensor Floor(Tensor x) => Function(UnaryKind.Floor, x);

    /// <summary>the smallest integer that is not below x, element by element. The gradient is 0.</summary>
    public static Tensor Ceiling(Tensor x) => Function(UnaryKind.Ceiling, x);

    /// <summary>the nearest integer, the even one of two, element by element. The gradient is 0.</summary>
    public static Tensor Round(Tensor x) => Function(UnaryKind.Round, x);

    /// <summary>x without its fraction, element by element. The gradient is 0.</summary>
    public static Tensor Truncate(Tensor x) => Function(UnaryKind.Truncate, x);

    /// <summary>The derivative of ln Γ(x), element by element.</summary>
    public static Tensor Digamma(Tensor x) => Function(new UnaryFunction(UnaryKind.Polygamma, 0), x);

    /// <summary>The derivative of order <paramref name="order"/> of the digamma function, element by element.</summary>
    public static Tensor Polygamma(int order, Tensor x)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(order);
        return Function(new UnaryFunction(UnaryKind.Polygamma, order), x);
    }

    /// <summary>x − trunc x, element by element: the sign of x. The gradient is 1 everywhere.</summary>
    public static Tensor Frac(Tensor x) => Subtract(x, Truncate(x));

    /// <summary>min(max(x, least), most), element by element; where least is above most, most. On a bound the gradient passes to x; NaN stays.</summary>
    public static Tensor Clamp(Tensor x, double least = double.NegativeInfinity, double most = double.PositiveInfinity) =>
        Function(new UnaryFunction(UnaryKind.Clamp, least, most), x);

    /// <summary>Whether an element is NaN: of Bool.</summary>
    public static Tensor IsNaN(Tensor x) => Function(UnaryKind.IsNaN, x);

    /// <summary>Whether an element is infinite: of Bool.</summary>
    public static Tensor IsInfinite(Tensor x) => Function(UnaryKind.IsInfinite, x);

    /// <summary>Whether an element is a finite number: of Bool.</summary>
    public static Tensor IsFinite(Tensor x) => Function(UnaryKind.IsFinite, x);

    /// <summary>Whether an element is 0: of Bool.</summary>
    public static Tensor LogicalNot(Tensor x) => Function(UnaryKind.LogicalNot, x);

    private static Tensor Function(UnaryFunction f, Tensor x)
    {
        x = Contiguous(x);
        if (f.IsPredicate)
        {
            Tensor truth = Tensor.Empty(x.Shape, DType.Bool, x.Device);
            x.Device.Kernels.Unary(f, x, truth);
            return truth;
        }

        if (!x.DType.IsFloat() && !(f.KeepsIntegers && x.DType != DType.Bool)) x = Cast(x, DType.Float32);
        else if (x.DType.IsFloat()) RequireFloating(f.Kind.ToString(), x);
        Tensor y = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.Unary(f, x, y);
        return Tape.Records(x) ? Tape.Record(FunctionNode.Of(f, x, y), y) : y;
    }
}
