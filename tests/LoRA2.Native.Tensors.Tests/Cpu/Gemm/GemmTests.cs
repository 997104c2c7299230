using System.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace LoRA2.Native.Tensors.Tests.Cpu;

[Collection(nameof(ThreadTeamTests))]
public sealed class GemmTests
{
    [Fact]
    public void FloatMatchesThePlainProduct() => ForAll(400, MatchesThePlainProduct<float>);

    [Fact]
    public void DoubleMatchesThePlainProduct() => ForAll(400, MatchesThePlainProduct<double>);

    [Fact]
    public void FloatBitsDependOnNeitherThreadsNorPacking() => ForAll(50, BitsDependOnNeitherThreadsNorPacking<float>);

    [Fact]
    public void DoubleBitsDependOnNeitherThreadsNorPacking() => ForAll(50, BitsDependOnNeitherThreadsNorPacking<double>);

    private static void MatchesThePlainProduct<T>(GemmCase shape)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var operands = new GemmOperands<T>(shape);
        operands.Check(operands.Run(2, shape.Packed));
    }

    private static void BitsDependOnNeitherThreadsNorPacking<T>(GemmCase shape)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var operands = new GemmOperands<T>(shape);
        T[] expected = operands.Run(1, false), packed = operands.Run(1, true);
        if (shape.M > 8 && shape.N > 12) Assert.Equal(expected, packed); // below, an operand that is not packed is read by dot products
        for (int threads = 2; threads <= 5; threads++)
        {
            Assert.Equal(expected, operands.Run(threads, false));
            Assert.Equal(packed, operands.Run(threads, true));
        }
    }

    private static void ForAll(int count, Action<GemmCase> property) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(GemmCase.Generator.ToArbitrary(), property));
}
