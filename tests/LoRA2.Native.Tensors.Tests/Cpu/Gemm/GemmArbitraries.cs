using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Generators of matrix products.</summary>
public static class GemmArbitraries
{
    private static readonly int[] Sizes =
        [0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 19, 23, 24, 25, 31, 32, 33, 47, 48, 49, 61, 64, 65, 97, 130];

    private static readonly int[] Depths = [0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 64, 67, 100, 255, 256, 257, 515, 1031];

    private static readonly Precision[] Rounded = [Precision.BFloat16, Precision.BFloat16x3, Precision.BFloat16x6];

    /// <summary>Products; shrunk to plainer and smaller ones.</summary>
    public static Arbitrary<GemmCase> Products() => Arb.From(
        from path in Gen.Elements(Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported).ToArray())
        from flags in Gen.ArrayOf(Gen.Elements(false, true), 8)
        from m in Gen.Elements(Sizes)
        from n in Gen.Elements(Sizes)
        from k in Gen.Frequency((40, Gen.Elements(Depths)), (1, Gen.Constant(4099)))
        from pads in Gen.ArrayOf(Gen.Elements(0, 0, 1, 2, 5), 3)
        from alpha in Gen.Elements(1.0, 1.0, -0.75, 0.0, 2.0)
        from beta in Gen.Elements(0.0, 0.0, 1.0, -0.5)
        from rank in Gen.Elements(0, 0, 1, 3, 8, 17)
        from seed in Gen.Choose(1, int.MaxValue - 1)
        select new GemmCase(
            flags[0], flags[1], flags[2], m, n, k, pads[0], pads[1], pads[2], alpha, beta, rank, flags[3], flags[4], flags[5], flags[6], flags[7], seed)
        { Path = path },
        Shrink);

    /// <summary>Products of rounded operands; shrunk likewise.</summary>
    public static Arbitrary<BFloat16GemmCase> RoundedProducts() => Arb.From(
        from shape in Products().Generator
        from path in Gen.Elements(Enum.GetValues<BFloat16Path>().Where(BFloat16Paths.IsSupported).ToArray())
        from precision in Gen.Elements(Rounded)
        select new BFloat16GemmCase(shape, precision) { Path = path },
        drawn => Shrink(drawn.Shape).Select(smaller => drawn with { Shape = smaller }));

    private static IEnumerable<GemmCase> Shrink(GemmCase drawn) => new[]
    {
        drawn with { Residual = false },
        drawn with { Activated = false },
        drawn with { Bias = false },
        drawn with { Rank = 0 },
        drawn with { PadA = 0 },
        drawn with { PadB = 0 },
        drawn with { PadC = 0 },
        drawn with { Packed = false },
        drawn with { Alpha = 1 },
        drawn with { Beta = 0 },
        drawn with { TransA = false },
        drawn with { TransB = false },
        drawn with { Path = SimdPath.Portable },
    }.Where(plainer => plainer != drawn)
        .Concat(Below(Depths, drawn.K).Select(k => drawn with { K = k }))
        .Concat(Below(Sizes, drawn.M).Select(m => drawn with { M = m }))
        .Concat(Below(Sizes, drawn.N).Select(n => drawn with { N = n }));

    private static IEnumerable<int> Below(int[] sizes, int size) => sizes.Where(smaller => smaller < size);
}
