using FsCheck.Xunit;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Products of bfloat16 terms, on the tile unit where there is one and on the vector path.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class BFloat16GemmTests
{
    [Property(MaxTest = 300)]
    public void MatchesThePlainProductToWithinThePrecision(BFloat16GemmCase drawn)
    {
        (GemmCase shape, BFloat16Path path, Precision precision) = (drawn.Shape, drawn.Path, drawn.Precision);
        using var operands = new GemmOperands<float>(shape);
        float[] result = operands.Run(2, shape.Packed, precision, path);
        operands.Check(result, ErrorBound(precision), IsOfBlocks(path, precision) ? ErrorBound(Split(precision)) : 0);
    }

    [Property(MaxTest = 30)]
    public void BitsDependOnNeitherThreadsNorPacking(BFloat16GemmCase drawn)
    {
        (GemmCase shape, BFloat16Path path, Precision precision) = (drawn.Shape, drawn.Path, drawn.Precision);
        using var operands = new GemmOperands<float>(shape);
        float[] expected = operands.Run(1, false, precision, path), packed = operands.Run(1, true, precision, path);
        if (IsOfBlocks(path, precision)) Assert.Equal(expected, packed);
        for (int threads = 2; threads <= 4; threads++)
        {
            Assert.Equal(expected, operands.Run(threads, false, precision, path));
            Assert.Equal(packed, operands.Run(threads, true, precision, path));
        }
    }

    /// <summary>
    /// What rounding an operand to one term (2^-8 of it), two (2^-16) or three (2^-24), and leaving out the smallest products, can cost, relative
    /// to the sum of the products' magnitudes.
    /// </summary>
    internal static double ErrorBound(Precision precision) => precision switch
    {
        Precision.BFloat16 => 2.01 * Math.Pow(2, -8),
        Precision.BFloat16x3 => 3.01 * Math.Pow(2, -16),
        _ => 5 * Math.Pow(2, -24),
    };

    /// <summary>Whether bfloat16 instructions compute it, not float32's.</summary>
    private static bool IsOfBlocks(BFloat16Path path, Precision precision) =>
        path == BFloat16Path.Amx || (path == BFloat16Path.Avx512 && precision == Precision.BFloat16);

    /// <summary>The low-rank update has at least two terms.</summary>
    private static Precision Split(Precision precision) => precision == Precision.BFloat16 ? Precision.BFloat16x3 : precision;
}
