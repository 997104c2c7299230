using System.Numerics;
using FsCheck.Xunit;

namespace LoRA2.Native.Tensors.Tests.Cpu;

[Collection(ThreadCountCollection.Name)]
public sealed class GemmTests
{
    [Property(MaxTest = 400)]
    public void FloatMatchesThePlainProduct(GemmCase shape) => MatchesThePlainProduct<float>(shape);

    [Property(MaxTest = 400)]
    public void DoubleMatchesThePlainProduct(GemmCase shape) => MatchesThePlainProduct<double>(shape);

    [Property(MaxTest = 50)]
    public void FloatBitsDependOnNeitherThreadsNorPacking(GemmCase shape) => BitsDependOnNeitherThreadsNorPacking<float>(shape);

    [Property(MaxTest = 50)]
    public void DoubleBitsDependOnNeitherThreadsNorPacking(GemmCase shape) => BitsDependOnNeitherThreadsNorPacking<double>(shape);

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
}
