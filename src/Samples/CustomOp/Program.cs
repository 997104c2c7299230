// An op of one's own: its gradient is written in ops, and checked against central differences, the second derivative too.
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;

// log cosh x, without overflow: |x| + ln(1 + e^(−2|x|)) − ln 2.
static Tensor LogCosh(Tensor x)
{
    Tensor y = Tape.Unrecorded(() => Ops.Abs(x) + Ops.Log1p(Ops.Exp(-2 * Ops.Abs(x))) - Math.Log(2));
    return Tape.Records(x) ? Tape.Record(new LogCoshNode(x), y) : y;
}

Tensor x = new CaseSource(seed: 1).Values([3, 4]);
GradientCheck.Verify(inputs => LogCosh(inputs[0]), [x]);
GradGradCheck.Verify(inputs => LogCosh(inputs[0]), [x]);
Console.WriteLine("the first and second derivatives agree with central differences");

using (var tape = new Tape())
{
    Tensor first = tape.Gradients(Ops.Sum(LogCosh(x)), [x], createGraph: true)[0];
    Tensor second = tape.Gradients(Ops.Sum(first), [x])[0];
    Console.WriteLine($"second derivative = 1 - tanh(x)^2: {Ops.Max(Ops.Abs(second - (1 - Ops.Square(Ops.Tanh(x))))).Item() < 1e-12}");
}

try
{
    GradientCheck.Verify(inputs => Tape.Unrecorded(() => LogCosh(inputs[0])), [x]);
}
catch (GradientCheckException wrong)
{
    Console.WriteLine($"without a gradient: {wrong.Message.Split(':')[0]}");
}

internal sealed class LogCoshNode : OpNode
{
    private readonly Tensor x;

    public LogCoshNode(Tensor x) => this.x = Save(x);

    protected override void Backward(Tensor gradient) => Accumulate(x, gradient * Ops.Tanh(x));
}
