using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Checks;

/// <content>Generators of functions of one and two numbers.</content>
public static partial class OpCatalogue
{
    private static IEnumerable<OpEntry> Functions()
    {
        yield return Smooth(nameof(Ops.Exp), Ops.Exp, -2, 2);
        yield return Smooth(nameof(Ops.Expm1), Ops.Expm1, -2, 2);
        yield return Smooth(nameof(Ops.Log), Ops.Log, 0.2, 3);
        yield return Smooth(nameof(Ops.Log1p), Ops.Log1p, -0.7, 3);
        yield return Smooth(nameof(Ops.Log2), Ops.Log2, 0.2, 3);
        yield return Smooth(nameof(Ops.Log10), Ops.Log10, 0.2, 3);
        yield return Smooth(nameof(Ops.Sqrt), Ops.Sqrt, 0.2, 3);
        yield return Smooth(nameof(Ops.Rsqrt), Ops.Rsqrt, 0.2, 3);
        yield return Smooth(nameof(Ops.Reciprocal), Ops.Reciprocal, 0.3, 3);
        yield return Smooth(nameof(Ops.Square), Ops.Square, -2, 2);
        yield return Smooth(nameof(Ops.Abs), Ops.Abs, 0.1, 2);
        yield return Smooth(nameof(Ops.Sign), Ops.Sign, 0.1, 2);
        yield return Smooth(nameof(Ops.Negate), Ops.Negate, -2, 2);
        yield return Smooth(nameof(Ops.Sin), Ops.Sin, -3, 3);
        yield return Smooth(nameof(Ops.Cos), Ops.Cos, -3, 3);
        yield return Smooth(nameof(Ops.Tan), Ops.Tan, -1, 1);
        yield return Smooth(nameof(Ops.Sinh), Ops.Sinh, -2, 2);
        yield return Smooth(nameof(Ops.Cosh), Ops.Cosh, -2, 2);
        yield return Smooth(nameof(Ops.Asin), Ops.Asin, -0.8, 0.8);
        yield return Smooth(nameof(Ops.Acos), Ops.Acos, -0.8, 0.8);
        yield return Smooth(nameof(Ops.Atan), Ops.Atan, -2, 2);
        yield return Smooth(nameof(Ops.Asinh), Ops.Asinh, -2, 2);
        yield return Smooth(nameof(Ops.Acosh), Ops.Acosh, 1.3, 3);
        yield return Smooth(nameof(Ops.Atanh), Ops.Atanh, -0.8, 0.8);
        yield return Smooth(nameof(Ops.Sigmoid), Ops.Sigmoid, -4, 4);
        yield return Smooth(nameof(Ops.LogSigmoid), Ops.LogSigmoid, -4, 4);
        yield return Smooth(nameof(Ops.Erf), Ops.Erf, -2, 2);
        yield return Smooth(nameof(Ops.Erfc), Ops.Erfc, -2, 2);
        yield return Smooth(nameof(Ops.Erfinv), Ops.Erfinv, -0.8, 0.8);
        yield return Smooth(nameof(Ops.LogGamma), Ops.LogGamma, 0.5, 5);
        yield return Smooth(nameof(Ops.Digamma), Ops.Digamma, 0.5, 5);
        yield return Smooth(nameof(Ops.Polygamma), x => Ops.Polygamma(2, x), 0.8, 5);
        yield return Smooth(nameof(Ops.Floor), Ops.Floor, 0.1, 0.9);
        yield return Smooth(nameof(Ops.Ceiling), Ops.Ceiling, 0.1, 0.9);
        yield return Smooth(nameof(Ops.Round), Ops.Round, 0.6, 1.4);
        yield return Smooth(nameof(Ops.Truncate), Ops.Truncate, 1.1, 1.9);
        yield return Smooth(nameof(Ops.Frac), Ops.Frac, 1.1, 1.9);
        yield return Smooth(nameof(Ops.Clamp), x => Ops.Clamp(x, -3, 0.5), 0.6, 2);
        yield return Smooth(nameof(Ops.Mish), Ops.Mish, -3, 3);
        yield return Smooth(nameof(Ops.Softplus), x => Ops.Softplus(x, 1.5), -3, 3);
        yield return Smooth(nameof(Ops.Elu), x => Ops.Elu(x, 0.7), -3, -0.1);
        yield return Smooth(nameof(Ops.Selu), Ops.Selu, 0.1, 3);
        yield return Smooth(nameof(Ops.LeakyRelu), x => Ops.LeakyRelu(x, 0.2), -3, -0.1);
        yield return Smooth(nameof(Ops.HardTanh), x => Ops.HardTanh(x), -0.9, 0.9);
        yield return Smooth(nameof(Ops.HardSwish), Ops.HardSwish, -2.5, 2.5);
        yield return new(nameof(Ops.Cast), source => Case([source.Values(source.Shape())], inputs => Ops.Cast(Ops.Cast(inputs[0], DType.Float64), inputs[0].DType))) { IsTwiceDifferentiable = true };
        yield return Pairs(nameof(Ops.Divide), Ops.Divide, 0.5, 2);
        yield return Pairs(nameof(Ops.Power), Ops.Power, 0.5, 2);
        yield return Pairs(nameof(Ops.Atan2), Ops.Atan2, 0.5, 2);
        yield return Pairs(nameof(Ops.Hypot), Ops.Hypot, 0.5, 2);
        yield return Apart(nameof(Ops.FloorDivide), (a, b) => Ops.FloorDivide(a, Ops.Add(Ops.Square(b), 4)));
        yield return Apart(nameof(Ops.TruncateDivide), (a, b) => Ops.TruncateDivide(a, Ops.Add(Ops.Square(b), 4)));
        yield return Apart(nameof(Ops.Remainder), (a, b) => Ops.Remainder(a, Ops.Add(Ops.Square(b), 20)));
        yield return Apart(nameof(Ops.FMod), (a, b) => Ops.FMod(a, Ops.Add(Ops.Square(b), 20)));
        yield return Apart(nameof(Ops.Maximum), Ops.Maximum);
        yield return Apart(nameof(Ops.Minimum), Ops.Minimum);
        yield return new(nameof(Ops.Where), Where) { IsTwiceDifferentiable = true };
        yield return new(nameof(Ops.MaskedFill), source =>
        {
            Tensor x = source.Values(source.Shape());
            return Case([x, source.Ids(x.Shape, 0, 1)], inputs => Ops.MaskedFill(inputs[0], Ops.Cast(inputs[1], DType.Bool), -1.5));
        })
        { IsTwiceDifferentiable = true };
        yield return Pairs(nameof(Ops.Lerp), (a, b) => Ops.Lerp(a, b, 0.3), -1, 1);
        yield return Triples(nameof(Ops.AddProduct), (a, b, c) => Ops.AddProduct(a, b, c, 0.7));
        yield return Triples(nameof(Ops.AddQuotient), (a, b, c) => Ops.AddQuotient(a, b, c, 0.7));
    }

    private static IEnumerable<OpEntry> Comparisons()
    {
        yield return Truth(nameof(Ops.IsNaN), (a, _) => Ops.IsNaN(a));
        yield return Truth(nameof(Ops.IsInfinite), (a, _) => Ops.IsInfinite(a));
        yield return Truth(nameof(Ops.IsFinite), (a, _) => Ops.IsFinite(a));
        yield return Truth(nameof(Ops.LogicalNot), (a, _) => Ops.LogicalNot(a));
        yield return Truth(nameof(Ops.Equal), Ops.Equal);
        yield return Truth(nameof(Ops.NotEqual), Ops.NotEqual);
        yield return Truth(nameof(Ops.Less), Ops.Less);
        yield return Truth(nameof(Ops.LessOrEqual), Ops.LessOrEqual);
        yield return Truth(nameof(Ops.Greater), Ops.Greater);
        yield return Truth(nameof(Ops.GreaterOrEqual), Ops.GreaterOrEqual);
        yield return Truth(nameof(Ops.LogicalAnd), Ops.LogicalAnd);
        yield return Truth(nameof(Ops.LogicalOr), Ops.LogicalOr);
        yield return Truth(nameof(Ops.LogicalXor), Ops.LogicalXor);
    }

    private static OpEntry Smooth(string name, Func<Tensor, Tensor> op, double least, double most) =>
        new(name, source => Case([source.Uniform(source.Shape(), least, most)], inputs => op(inputs[0]))) { IsTwiceDifferentiable = true };

    /// <summary>Two operands that broadcast, values between two numbers.</summary>
    private static OpEntry Pairs(string name, Func<Tensor, Tensor, Tensor> op, double least, double most) => new(name, source =>
    {
        (Shape a, Shape b) = BroadcastShapes(source);
        return Case([source.Uniform(a, least, most), source.Uniform(b, least, most)], inputs => op(inputs[0], inputs[1]));
    })
    { IsTwiceDifferentiable = true };

    /// <summary>Two operands of one shape whose values are nowhere equal.</summary>
    private static OpEntry Apart(string name, Func<Tensor, Tensor, Tensor> op) => new(name, source =>
    {
        Shape shape = source.Shape();
        Tensor both = source.Distinct([2, .. shape.Extents]);
        both.RequiresGrad = false;
        Tensor[] parts = [Ops.Contiguous(Ops.Select(both, 0, 0)).Clone(), Ops.Contiguous(Ops.Select(both, 0, 1)).Clone()];
        foreach (Tensor part in parts) part.RequiresGrad = true;
        return Case(parts, inputs => op(inputs[0], inputs[1]));
    })
    { IsTwiceDifferentiable = true };

    private static OpEntry Triples(string name, Func<Tensor, Tensor, Tensor, Tensor> op) => new(name, source =>
    {
        (Shape a, Shape b) = BroadcastShapes(source);
        return Case([source.Uniform(a, 0.5, 2), source.Uniform(b, 0.5, 2), source.Uniform([1], 0.5, 2)], inputs => op(inputs[0], inputs[1], inputs[2]));
    })
    { IsTwiceDifferentiable = true };

    /// <summary>What has no gradient: as numbers, of values that are often equal.</summary>
    private static OpEntry Truth(string name, Func<Tensor, Tensor, Tensor> op) => new(name, source =>
    {
        (Shape a, Shape b) = BroadcastShapes(source);
        Tensor[] inputs = [source.Ids(a, -1, 1).To(DType.Float64), source.Ids(b, -1, 1).To(DType.Float64)];
        return Case(inputs, parts => Ops.Cast(op(parts[0], parts[1]), parts[0].DType));
    });

    private static (Shape A, Shape B) BroadcastShapes(CaseSource source)
    {
        Shape shape = source.Shape(mostElements: 100);
        int[] extents = shape.Extents.ToArray();
        for (int i = 0; i < extents.Length; i++)
        {
            if (source.Int(0, 3) == 0) extents[i] = 1;
        }

        var other = new Shape(extents.AsSpan(source.Int(0, extents.Length - 1)));
        return source.Flag() ? (shape, other) : (other, shape);
    }

    private static OpCase Where(CaseSource source)
    {
        (Shape a, Shape b) = BroadcastShapes(source);
        return Case([source.Ids(a, 0, 1), source.Values(a), source.Values(b)], inputs => Ops.Where(Ops.Cast(inputs[0], DType.Bool), inputs[1], inputs[2]));
    }
}
