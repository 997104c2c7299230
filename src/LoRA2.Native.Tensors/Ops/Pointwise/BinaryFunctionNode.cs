using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>The derivatives of the functions of two numbers.</content>
public static partial class Ops
{
    private sealed class BinaryFunctionNode : OpNode
    {
        private BinaryKind f;
        private Tensor a = null!;
        private Tensor b = null!;
        private Tensor y = null!;

        public static BinaryFunctionNode Of(BinaryKind f, Tensor a, Tensor b, Tensor y)
        {
            BinaryFunctionNode node = Take<BinaryFunctionNode>();
            node.f = f;
            node.a = node.Save(a);
            node.b = node.Save(b);
            node.y = f is BinaryKind.Power or BinaryKind.Hypot ? node.Save(y) : y;
            return node;
        }

        public override string Name => f.OpName();

        protected internal override void Backward(Tensor gradient)
        {
            if (a.RequiresGrad) Accumulate(a, SumTo(First(gradient), a.Shape));
            if (b.RequiresGrad) Accumulate(b, SumTo(Second(gradient), b.Shape));
        }

        private Tensor First(Tensor gradient) => f switch
        {
            BinaryKind.Divide => Divide(gradient, b),
            BinaryKind.Remainder or BinaryKind.FMod => gradient,
            BinaryKind.Power => Where(Equal(b, 0), 0, Multiply(gradient, Multiply(b, Power(a, Subtract(b, 1))))),
            BinaryKind.Maximum => Shared(gradient, Less(a, b)),
            BinaryKind.Minimum => Shared(gradient, Greater(a, b)),
            BinaryKind.Atan2 => Multiply(gradient, Multiply(b, Reciprocal(Add(Square(a), Square(b))))),
            BinaryKind.Hypot => Multiply(gradient, Divide(a, y)),
            _ => Zeros(gradient),
        };

        private Tensor Second(Tensor gradient) => f switch
        {
            BinaryKind.Divide => Multiply(Negate(gradient), Divide(Divide(a, b), b)),
            BinaryKind.Remainder => Multiply(Negate(gradient), FloorDivide(a, b)),
            BinaryKind.FMod => Multiply(Negate(gradient), TruncateDivide(a, b)),
            BinaryKind.Power => Multiply(gradient, Where(LogicalAnd(Equal(a, 0), GreaterOrEqual(b, 0)), 0, Multiply(y, Log(a)))),
            BinaryKind.Maximum => Shared(gradient, Greater(a, b)),
            BinaryKind.Minimum => Shared(gradient, Less(a, b)),
            BinaryKind.Atan2 => Multiply(gradient, Multiply(Negate(a), Reciprocal(Add(Square(a), Square(b))))),
            BinaryKind.Hypot => Multiply(gradient, Divide(b, y)),
            _ => Zeros(gradient),
        };

        /// <summary>The gradient where this operand is the result, half of it where both are.</summary>
        private Tensor Shared(Tensor gradient, Tensor loses) => Where(loses, 0, Where(Equal(a, b), Scale(gradient, 0.5), gradient));

        private static Tensor Zeros(Tensor x) => Tensor.Zeros(x.Shape, x.DType, x.Device);
    }
}
