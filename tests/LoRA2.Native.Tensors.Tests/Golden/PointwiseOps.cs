namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Functions of one, two and three numbers.</summary>
internal static class PointwiseOps
{
    public static Dictionary<string, Func<OpCall, Tensor[]>> All { get; } = new()
    {
        ["exp"] = Unary(Ops.Exp),
        ["expm1"] = Unary(Ops.Expm1),
        ["log"] = Unary(Ops.Log),
        ["log1p"] = Unary(Ops.Log1p),
        ["log2"] = Unary(Ops.Log2),
        ["sqrt"] = Unary(Ops.Sqrt),
        ["rsqrt"] = Unary(Ops.Rsqrt),
        ["reciprocal"] = Unary(Ops.Reciprocal),
        ["square"] = Unary(Ops.Square),
        ["abs"] = Unary(Ops.Abs),
        ["sign"] = Unary(Ops.Sign),
        ["neg"] = Unary(Ops.Negate),
        ["sin"] = Unary(Ops.Sin),
        ["cos"] = Unary(Ops.Cos),
        ["tan"] = Unary(Ops.Tan),
        ["tanh"] = Unary(Ops.Tanh),
        ["sinh"] = Unary(Ops.Sinh),
        ["cosh"] = Unary(Ops.Cosh),
        ["asin"] = Unary(Ops.Asin),
        ["acos"] = Unary(Ops.Acos),
        ["atan"] = Unary(Ops.Atan),
        ["sigmoid"] = Unary(Ops.Sigmoid),
        ["erf"] = Unary(Ops.Erf),
        ["erfc"] = Unary(Ops.Erfc),
        ["erfinv"] = Unary(Ops.Erfinv),
        ["lgamma"] = Unary(Ops.LogGamma),
        ["digamma"] = Unary(Ops.Digamma),
        ["floor"] = Unary(Ops.Floor),
        ["ceil"] = Unary(Ops.Ceiling),
        ["round"] = Unary(Ops.Round),
        ["trunc"] = Unary(Ops.Truncate),
        ["frac"] = Unary(Ops.Frac),
        ["logsigmoid"] = Unary(Ops.LogSigmoid),
        ["softplus"] = c => [Ops.Softplus(c.X(), c.Number(1, "beta", 1), c.Number(2, "threshold", 20))],
        ["relu"] = Unary(Ops.Relu),
        ["leaky_relu"] = c => [Ops.LeakyRelu(c.X(), c.Number(1, "negative_slope", 0.01))],
        ["elu"] = c => [Ops.Elu(c.X(), c.Number(1, "alpha", 1))],
        ["selu"] = Unary(Ops.Selu),
        ["silu"] = Unary(Ops.Silu),
        ["gelu"] = c => [Ops.Activate(c.X(), c.Text(-1, "approximate") == "tanh" ? Activation.GeluTanh : Activation.Gelu)],
        ["hardtanh"] = c => [Ops.HardTanh(c.X(), c.Number(1, "min_val", -1), c.Number(2, "max_val", 1))],
        ["hardswish"] = Unary(Ops.HardSwish),
        ["mish"] = Unary(Ops.Mish),
        ["pow"] = Power,
        ["clamp"] = Clamp,
        ["isnan"] = Unary(Ops.IsNaN),
        ["isinf"] = Unary(Ops.IsInfinite),
        ["isfinite"] = Unary(Ops.IsFinite),
        ["logical_not"] = Unary(Ops.LogicalNot),
        ["add"] = c => Sum(c, 1),
        ["sub"] = c => Sum(c, -1),
        ["mul"] = Binary(Ops.Multiply, Ops.Multiply),
        ["div"] = Binary(Ops.Divide, Ops.Divide),
        ["div_floor"] = Binary(Ops.FloorDivide, Ops.FloorDivide),
        ["div_trunc"] = Binary(Ops.TruncateDivide, Ops.TruncateDivide),
        ["remainder"] = Binary(Ops.Remainder, Ops.Remainder),
        ["fmod"] = Binary(Ops.FMod, Ops.FMod),
        ["maximum"] = Binary(Ops.Maximum, Ops.Maximum),
        ["minimum"] = Binary(Ops.Minimum, Ops.Minimum),
        ["atan2"] = c => [Ops.Atan2(c.X(0), c.X(1))],
        ["hypot"] = c => [Ops.Hypot(c.X(0), c.X(1))],
        ["eq"] = Binary(Ops.Equal, Ops.Equal),
        ["ne"] = Binary(Ops.NotEqual, Ops.NotEqual),
        ["lt"] = Binary(Ops.Less, Ops.Less),
        ["le"] = Binary(Ops.LessOrEqual, Ops.LessOrEqual),
        ["gt"] = Binary(Ops.Greater, Ops.Greater),
        ["ge"] = Binary(Ops.GreaterOrEqual, Ops.GreaterOrEqual),
        ["logical_and"] = c => [Ops.LogicalAnd(c.X(0), c.X(1))],
        ["logical_or"] = c => [Ops.LogicalOr(c.X(0), c.X(1))],
        ["logical_xor"] = c => [Ops.LogicalXor(c.X(0), c.X(1))],
        ["where"] = c => [c.Maybe(2, "") is { } other ? c.Maybe(1, "") is { } x ? Ops.Where(c.X(0), x, other) : Ops.Where(c.X(0), c.Scalar(1), other) : Ops.Where(c.X(0), c.X(1), c.Scalar(2))],
        ["lerp"] = c => [c.Maybe(2, "weight") is { } weight ? Ops.Lerp(c.X(0), c.X(1), weight) : Ops.Lerp(c.X(0), c.X(1), c.Number(2, "weight", 0))],
        ["addcmul"] = c => [Ops.AddProduct(c.X(0), c.X(1), c.X(2), c.Number(3, "value", 1))],
        ["addcdiv"] = c => [Ops.AddQuotient(c.X(0), c.X(1), c.X(2), c.Number(3, "value", 1))],
    };

    private static Func<OpCall, Tensor[]> Unary(Func<Tensor, Tensor> op) => c => [op(c.X())];

    private static Func<OpCall, Tensor[]> Binary(Func<Tensor, Tensor, Tensor> op, Func<Tensor, Scalar, Tensor> withNumber) =>
        c => [c.Maybe(1, "other") is { } other ? op(c.X(), other) : withNumber(c.X(), c.Scalar(1, "other"))];

    private static Tensor[] Sum(OpCall c, double sign)
    {
        double factor = sign * c.Number(2, "alpha", 1);
        if (c.Maybe(1, "other") is { } other) return [factor == 1 ? Ops.Add(c.X(), other) : factor == -1 ? Ops.Subtract(c.X(), other) : Ops.Add(c.X(), Ops.Multiply(other, factor))];
        return [Ops.Add(c.X(), factor * c.Number(1, "other", 0))];
    }

    private static Tensor[] Power(OpCall c)
    {
        Tensor? exponent = c.Maybe(1, "exponent");
        if (c.Maybe(0, "self") is not { } x) return [Ops.Power(c.Scalar(0), exponent!)];
        return [exponent is null ? Ops.Power(x, c.Scalar(1)) : Ops.Power(x, exponent)];
    }

    private static Tensor[] Clamp(OpCall c)
    {
        (Tensor? least, Tensor? most) = (c.Maybe(1, "min"), c.Maybe(2, "max"));
        if (least is null && most is null) return [Ops.Clamp(c.X(), c.Number(1, "min", double.NegativeInfinity), c.Number(2, "max", double.PositiveInfinity))];
        Tensor y = c.X();
        if (least is not null) y = Ops.Maximum(y, least);
        return [most is null ? y : Ops.Minimum(y, most)];
    }
}
