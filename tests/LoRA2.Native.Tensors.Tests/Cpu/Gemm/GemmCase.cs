using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>A drawn matrix product. The paddings are added to the shortest possible row steps.</summary>
internal sealed record GemmCase(
    SimdPath Path, bool TransA, bool TransB, bool Packed, int M, int N, int K, int PadA, int PadB, int PadC, double Alpha, double Beta,
    int Rank, bool Bias, bool RightTransposed, bool GuardStart, bool Residual, bool Activated, int Seed)
{
    private static readonly int[] Sizes =
        [0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 19, 23, 24, 25, 31, 32, 33, 47, 48, 49, 61, 64, 65, 97, 130];

    private static readonly int[] Depths = [0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 64, 67, 100, 255, 256, 257, 515, 1031];

    public int Lda => (TransA ? M : K) + PadA;

    public int Ldb => (TransB ? K : N) + PadB;

    public int Ldc => N + PadC;

    public static Gen<GemmCase> Generator { get; } =
        from path in Gen.Elements(SupportedPaths())
        from flags in Gen.ArrayOf(Gen.Elements(false, true), 8)
        from m in Gen.Elements(Sizes)
        from n in Gen.Elements(Sizes)
        from k in Gen.Frequency((40, Gen.Elements(Depths)), (1, Gen.Constant(4099)))
        from pads in Gen.ArrayOf(Gen.Elements(0, 0, 1, 2, 5), 3)
        from alpha in Gen.Elements(1.0, 1.0, -0.75, 0.0, 2.0)
        from beta in Gen.Elements(0.0, 0.0, 1.0, -0.5)
        from rank in Gen.Elements(0, 0, 1, 3, 8, 17)
        from seed in Gen.Choose(1, int.MaxValue)
        select new GemmCase(
            path, flags[0], flags[1], flags[2], m, n, k, pads[0], pads[1], pads[2], alpha, beta, rank, flags[3], flags[4], flags[5], flags[6], flags[7], seed);

    public static SimdPath[] SupportedPaths() => [.. Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported)];
}
