using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>The derivatives of the functions of one number.</content>
public static partial class Ops
{
    /// <summary>2/√π.</summary>
    private const double TwoOverRootPi = 1.12837916709551257390;

    private sealed class FunctionNode : OpNode
    {
        private UnaryFunction f;
        private Tensor x = null!;
        private Tensor y = null!;

        public static FunctionNode Of(UnaryFunction f, Tensor x, Tensor y)
        {
            FunctionNode node = Take<FunctionNode>();
            node.f = f;
            node.x = ReadsResult(f.Kind) ? x : node.Save(x);
            node.y = ReadsResult(f.Kind) ? node.Save(y) : y;
            return node;
        }

        public override string Name => f.Kind.ToString();

        protected internal override void Backward(Tensor gradient) => Accumulate(x, Derivative(gradient));

        private static bool ReadsResult(UnaryKind kind) => kind is UnaryKind.Exp or UnaryKind.Expm1 or UnaryKind.Sqrt or UnaryKind.Rsqrt or UnaryKind.Reciprocal or UnaryKind.Tan or UnaryKind.Sigmoid or UnaryKind.Erfinv;

        /// <summary>gradient · f′(x), in the steps of PyTorch's derivatives.yaml, so that infinities and NaN come out the same.</summary>
        private Tensor Derivative(Tensor gradient) => f.Kind switch
        {
            UnaryKind.Exp => Multiply(gradient, y),
            UnaryKind.Expm1 => Multiply(gradient, Add(y, 1)),
            UnaryKind.Log => Divide(gradient, x),
            UnaryKind.Log1p => Divide(gradient, Add(x, 1)),
            UnaryKind.Log2 => Divide(gradient, Scale(x, 0.6931471805599453)),
            UnaryKind.Log10 => Divide(gradient, Scale(x, 2.302585092994046)),
            UnaryKind.Sqrt => Divide(gradient, Scale(y, 2)),
            UnaryKind.Rsqrt => Multiply(Scale(gradient, -0.5), Power(y, 3)),
            UnaryKind.Reciprocal => Multiply(Negate(gradient), Multiply(y, y)),
            UnaryKind.Square => Multiply(gradient, Scale(x, 2)),
            UnaryKind.Abs => Multiply(gradient, Sign(x)),
            UnaryKind.Negate => Negate(gradient),
            UnaryKind.Sin => Multiply(gradient, Cos(x)),
            UnaryKind.Cos => Multiply(gradient, Negate(Sin(x))),
            UnaryKind.Tan => Multiply(gradient, Add(Square(y), 1)),
            UnaryKind.Sinh => Multiply(gradient, Cosh(x)),
            UnaryKind.Cosh => Multiply(gradient, Sinh(x)),
            UnaryKind.Asin => Multiply(gradient, Rsqrt(Add(Negate(Square(x)), 1))),
            UnaryKind.Acos => Multiply(gradient, Negate(Rsqrt(Add(Negate(Square(x)), 1)))),
            UnaryKind.Atan => Divide(gradient, Add(Square(x), 1)),
            UnaryKind.Asinh => Multiply(gradient, Rsqrt(Add(Square(x), 1))),
            UnaryKind.Acosh => Multiply(gradient, Rsqrt(Add(Square(x), -1))),
            UnaryKind.Atanh => Divide(gradient, Add(Negate(Square(x)), 1)),
            UnaryKind.Sigmoid => Multiply(Multiply(gradient, Subtract(1, y)), y),
            UnaryKind.LogSigmoid => Multiply(gradient, Sigmoid(Negate(x))),
            UnaryKind.Erf => Multiply(Scale(Exp(Negate(Square(x))), TwoOverRootPi), gradient),
            UnaryKind.Erfc => Multiply(Scale(Exp(Negate(Square(x))), -TwoOverRootPi), gradient),
            UnaryKind.Erfinv => Multiply(Scale(Exp(Square(y)), 1 / TwoOverRootPi), gradient),
            UnaryKind.LogGamma => Multiply(gradient, Digamma(x)),
            UnaryKind.Polygamma => Multiply(gradient, Polygamma((int)f.A + 1, x)),
            UnaryKind.Softplus => Softplus(gradient),
            UnaryKind.Elu => Multiply(gradient, Where(LessOrEqual(x, 0), Scale(Exp(Clamp(x, most: 0)), f.A), f.B)),
            UnaryKind.LeakyRelu => Where(Greater(x, 0), gradient, Scale(gradient, f.A)),
            UnaryKind.Clamp => Where(LogicalAnd(GreaterOrEqual(x, f.A), LessOrEqual(x, f.B)), gradient, 0),
            UnaryKind.HardSwish => Where(Less(x, -3), 0, Where(LessOrEqual(x, 3), Multiply(gradient, Add(Scale(x, 1.0 / 3), 0.5)), gradient)),
            UnaryKind.Power => Multiply(gradient, Scale(Power(x, f.A - 1), f.A)),
            _ => Tensor.Zeros(x.Shape, x.DType, x.Device),
        };

        private Tensor Softplus(Tensor gradient)
        {
            Tensor scaled = Scale(x, f.A);
            return Where(Greater(scaled, f.B), gradient, Multiply(gradient, Sigmoid(scaled)));
        }
    }
}
