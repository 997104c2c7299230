using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>
/// Assembled kernels in a program that was compiled for 256 bits: whether they may run, and that what goes with them (packing, rounding, the end of a product) gives the bits that it gives on 512.
/// </summary>
[Collection(ThreadCountCollection.Name)]
public sealed unsafe class BesideAssembledCodeTests
{
    private static readonly float[] Odd = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1e-40f, -1e-45f, float.MaxValue, -float.MaxValue, 1 + 1f / 256, 1 + 3f / 256, -1 - 1f / 128];

    /// <summary>Under a just-in-time compiler both are asked, and a setting may only take away.</summary>
    [Fact]
    public void TheCompilerAndTheProcessorAgreeOnAvx512()
    {
        bool isCompiled = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported;
        Assert.Equal(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && isCompiled, AssembledAvx512.IsSupported);
        if (AssembledAvx512.IsSupported) Assert.True(AssembledAvx512.IsOfProcessorAndSystem());
    }

    [InstructionsFact(Instructions.BFloat16)]
    public void PackedBlocksAreTheSameBytes()
    {
        var random = new Random(1);
        foreach (int lanes in (int[])[1, 7, 16, 17, 31, 32])
        {
            foreach (int depth in (int[])[1, 16, 31, 32, 33, 70])
            {
                for (int flags = 0; flags < 4; flags++)
                {
                    (bool depthFirst, bool lanesFirst) = ((flags & 1) != 0, (flags & 2) != 0);
                    int step = (depthFirst ? depth : lanes) + 3;
                    float[] source = Fill(random, step * (depthFirst ? lanes : depth), 17);
                    ushort[] narrow = [.. source.Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))];
                    for (int terms = 1; terms <= 3; terms++)
                    {
                        foreach (float scale in (float[])[1, 0.3f])
                        {
                            fixed (float* from = source) AssertSame(Packed<float, FloatSource>(from, step, depthFirst, lanesFirst, lanes, depth, terms, scale));
                            fixed (ushort* from = narrow) AssertSame(Packed<ushort, BFloat16Source>(from, step, depthFirst, lanesFirst, lanes, depth, terms, scale));
                        }
                    }
                }
            }
        }
    }

    [InstructionsFact(Instructions.BFloat16)]
    public void ProductsOfTermsAreTheSameBits()
    {
        var random = new Random(2);
        foreach ((int m, int n, int k) in ((int, int, int)[])[(1, 1, 1), (5, 17, 3), (33, 31, 70), (48, 40, 384), (64, 100, 33)])
        {
            float[] a = Fill(random, m * k), b = Fill(random, k * n), bias = Fill(random, n), left = Fill(random, m * 8), right = Fill(random, 8 * n), residual = Fill(random, m * n), start = Fill(random, m * n);
            foreach (Precision precision in (Precision[])[Precision.BFloat16, Precision.BFloat16x3, Precision.BFloat16x6])
            {
                foreach (BFloat16Path path in Enum.GetValues<BFloat16Path>().Where(path => path != BFloat16Path.Vector && BFloat16Paths.IsSupported(path)))
                {
                    BFloat16Paths.Forced = path;
                    try
                    {
                        if (BFloat16Paths.Of(precision) == BFloat16Path.Vector) continue;
                        for (int parts = 0; parts < 16; parts++)
                        {
                            AssertSame(OnBoth(() =>
                            {
                                float[] c = [.. start];
                                fixed (float* pa = a, pb = b, pc = c, pBias = bias, pLeft = left, pRight = right, pResidual = residual)
                                {
                                    var epilogue = new Epilogue<float>
                                    {
                                        Bias = (parts & 1) != 0 ? pBias : null,
                                        Rank = (parts & 2) != 0 ? 8 : 0,
                                        Left = pLeft,
                                        LeftStride = 8,
                                        Right = pRight,
                                        RightStride = (parts & 8) != 0 ? 8 : n,
                                        RightTransposed = (parts & 8) != 0,
                                        LowRankScale = 0.7f,
                                        Residual = (parts & 4) != 0 ? pResidual : null,
                                        ResidualStride = n,
                                    };
                                    BFloat16Gemm.Multiply(precision, (parts & 1) != 0, (parts & 4) != 0, m, n, k, 0.9f, pa, (parts & 1) != 0 ? m : k, pb, (parts & 4) != 0 ? k : n, -0.3f * (parts & 1), pc, n, epilogue);
                                }

                                return Bits(c);
                            }));
                        }
                    }
                    finally
                    {
                        BFloat16Paths.Forced = null;
                    }
                }
            }
        }
    }

    [InstructionsFact(Instructions.Vnni)]
    public void RowsAreRoundedToTheSameBytes()
    {
        var random = new Random(3);
        for (int columns = 0; columns < 200; columns++)
        {
            foreach (float middle in (float[])[0, 3, -1000, 1e30f])
            {
                float[] x = [.. Fill(random, 4 * columns).Select(value => value + middle)];
                // Zeros of either sign as the smallest, a row that is not finite, and one of nothing.
                for (int i = 0; i < columns; i++)
                {
                    x[i] = random.Next(3) == 0 ? random.Next(2) == 0 ? 0 : -0f : Math.Abs(x[i]);
                    x[(2 * columns) + i] *= 1e-38f;
                    if (i == columns / 2) x[columns + i] = Odd[random.Next(3)];
                }

                AssertSame(OnBoth(() =>
                {
                    nint bytes = ByteRounding.StripBytes(columns);
                    byte[] rounded = new byte[bytes];
                    float[] scales = new float[8];
                    fixed (float* from = x, pScales = scales)
                    fixed (byte* to = rounded) new ByteRounding(from, columns, 4, columns, 4, to, pScales, pScales + 4).Run(0);
                    // What a row that is not finite is rounded to counts for nothing: its scale is NaN.
                    for (int i = 0; i < rounded.Length; i++)
                    {
                        if (i % BlockCode.GroupBytes / ByteCode.StepDepth == 1) rounded[i] = 0;
                    }

                    return [.. rounded, .. Bits(scales)];
                }));
            }
        }
    }

    [InstructionsFact(Instructions.Vnni)]
    public void ProductsOfBytesAreTheSameBits()
    {
        var random = new Random(4);
        foreach ((int m, int n, int k) in ((int, int, int)[])[(1, 1, 1), (5, 17, 3), (33, 31, 70), (48, 40, 384), (64, 100, 33), (2, 3, 1537)])
        {
            float[] a = Fill(random, m * k), b = Fill(random, n * k), bias = Fill(random, n), residual = Fill(random, m * n), start = Fill(random, m * n);
            foreach (BytePath path in Enum.GetValues<BytePath>().Where(path => path != BytePath.None && ByteCode.IsSupported(path)))
            {
                for (int parts = 0; parts < 8; parts++)
                {
                    AssertSame(OnBoth(() =>
                    {
                        ByteCode.Forced = path;
                        float[] c = [.. start];
                        try
                        {
                            fixed (float* pa = a, pb = b, pc = c, pBias = bias, pResidual = residual)
                            {
                                using var packed = new Int8PackedMatrix(pb, k, k, n);
                                Assert.True(packed.IsOfBytes);
                                var epilogue = new Epilogue<float> { Bias = (parts & 1) != 0 ? pBias : null, Residual = (parts & 2) != 0 ? pResidual : null, ResidualStride = n };
                                Int8Gemm.Multiply(m, 0.7f, pa, k, packed, (parts & 4) != 0 ? -0.3f : 0, pc, n, epilogue);
                            }
                        }
                        finally
                        {
                            ByteCode.Forced = null;
                        }

                        return Bits(c);
                    }));
                }
            }
        }
    }

    private static (byte[] In512, byte[] In256) Packed<T, TSource>(T* from, int step, bool depthFirst, bool lanesFirst, int lanes, int depth, int terms, float scale)
        where T : unmanaged
        where TSource : unmanaged, ITileSource<T> => OnBoth(() =>
        {
            var packed = new byte[TileShape.SliceBytes(depth, terms) + 64];
            fixed (byte* to = packed)
            {
                byte* aligned = (byte*)TileShape.Align((float*)to);
                TilePacking<T, TSource>.Pack(from, step, depthFirst, lanesFirst, lanes, depth, terms, scale, aligned);
                return new Span<byte>(aligned, packed.Length - 64).ToArray();
            }
        });

    private static (byte[] In512, byte[] In256) OnBoth(Func<byte[]> compute)
    {
        byte[] in512 = compute();
        SimdPaths.Forced = SimdPath.Vector256;
        try
        {
            return (in512, compute());
        }
        finally
        {
            SimdPaths.Forced = null;
        }
    }

    private static void AssertSame((byte[] In512, byte[] In256) both) => Assert.True(both.In512.AsSpan().SequenceEqual(both.In256), "the bits differ");

    private static byte[] Bits(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    /// <summary>Numbers of −1 … 1; every so many of them an odd one.</summary>
    private static float[] Fill(Random random, int count, int oddEvery = int.MaxValue) =>
        [.. Enumerable.Range(0, count).Select(i => i % oddEvery == oddEvery - 1 ? Odd[random.Next(Odd.Length)] : (random.NextSingle() * 2) - 1)];
}
