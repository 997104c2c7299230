using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Testing.Tests;

/// <summary>An op of one's own passes every check by one line; one whose gradient is wrong, or that has none, does not, and says where.</summary>
public sealed class OpCheckTests
{
    private static readonly OpEntry LogCosh = new("LogCosh", source => Case(source, inputs => LogCoshOf(inputs[0]))) { IsTwiceDifferentiable = true };

    [Theory, OpChecks]
    public void AnOpOfOnesOwnPassesEveryCheck(string check) => OpCheck.Run(LogCosh, check);

    [Theory, OpChecks]
    public void AnOpOfTheCataloguePassesEveryCheck(string check) => OpCheck.Run(OpCatalogue.All.First(op => op.Name == nameof(Ops.Linear)), check, cases: 8);

    [Fact]
    public void OnADeviceItIsWhatItIsOnTheCpu() => OpCheck.OnDevice(LogCosh, Device.Cpu);

    [Fact]
    public void AnOpWithoutItsGradientFailsByName()
    {
        var wrong = new OpEntry("Wrong", source => Case(source, inputs => Tape.Unrecorded(() => Ops.Scale(inputs[0], 2))));
        string message = Assert.Throws<OpCheckException>(() => OpCheck.Run(wrong, OpCheck.Names[0])).Message;
        Assert.StartsWith($"Wrong, {OpCheck.Names[0]}, seed ", message, StringComparison.Ordinal);
        Assert.Contains("backward gives 0, central differences ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingToCheckIsAFailure()
    {
        var empty = new OpEntry("Empty", source => new OpCase([Tensor.Zeros([0], DType.Float64)], inputs => inputs[0], "[0]"));
        Assert.Contains("nothing was checked", Assert.Throws<OpCheckException>(() => OpCheck.Run(empty, OpCheck.Names[0])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownCheckIsRefused() =>
        Assert.StartsWith("there is no check 'all'; there are gradient in double", Assert.Throws<ArgumentException>(() => OpCheck.Run(LogCosh, "all")).Message, StringComparison.Ordinal);

    private static OpCase Case(CaseSource source, Func<IReadOnlyList<Tensor>, Tensor> apply)
    {
        Tensor x = source.ValuesAwayFromZero(source.Shape());
        return new OpCase([x], apply, $"x of shape {x.Shape}");
    }

    private static Tensor LogCoshOf(Tensor x)
    {
        Tensor y = Tape.Unrecorded(() => Ops.Abs(x) + Ops.Log1p(Ops.Exp(-2 * Ops.Abs(x))) - Math.Log(2));
        return Tape.Records(x) ? Tape.Record(new LogCoshNode(x), y) : y;
    }

    private sealed class LogCoshNode : OpNode
    {
        private readonly Tensor x;

        public LogCoshNode(Tensor x) => this.x = Save(x);

        protected override void Backward(Tensor gradient) => Accumulate(x, gradient * Ops.Tanh(x));
    }
}
