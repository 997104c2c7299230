using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class ConversionTests : KernelTest
{
    [Fact]
    public void EveryBfloat16GoesToFloatAndBack()
    {
        ushort[] all = Enumerable.Range(0, 65536).Select(i => (ushort)i).ToArray();
        using var source = new GuardedArray<ushort>(all);
        using var wide = new GuardedArray<float>(65536);
        using var back = new GuardedArray<ushort>(65536);
        Conversion.BFloat16ToFloat(source.Pointer, 65536, wide.Pointer);
        Conversion.FloatToBFloat16(wide.Pointer, 65536, back.Pointer);
        for (int i = 0; i < 65536; i++)
        {
            Assert.Equal(BitConverter.UInt32BitsToSingle((uint)i << 16), wide[i]);
            if (float.IsNaN(wide[i])) Assert.True(float.IsNaN(Conversion.FromBFloat16Bits(back[i])));
            else Assert.Equal(i, back[i]);
        }
    }

    [Theory]
    [InlineData(0x3F808000u, 0x3F80)] // a tie goes to even: down
    [InlineData(0x3F818000u, 0x3F82)] // up
    [InlineData(0x3F808001u, 0x3F81)]
    [InlineData(0x3F807FFFu, 0x3F80)]
    [InlineData(0x7F7FFFFFu, 0x7F80)] // the largest float becomes infinite
    [InlineData(0xFF800000u, 0xFF80)]
    [InlineData(0x7F800001u, 0x7FC0)] // a NaN whose payload is in the lower half stays NaN
    [InlineData(0x80000000u, 0x8000)]
    [InlineData(0x00008001u, 0x0001)]
    public void FloatsRoundToBfloat16(uint bits, int expected)
    {
        float[] x = Enumerable.Repeat(BitConverter.UInt32BitsToSingle(bits), 35).ToArray();
        var y = new ushort[35];
        fixed (float* from = x)
        fixed (ushort* to = y)
            Conversion.FloatToBFloat16(from, 35, to);
        Assert.All(y, v => Assert.Equal(expected, v));
        Assert.Equal(expected, Conversion.ToBFloat16Bits(x[0]));
    }

    [Fact]
    public void EveryHalfGoesToFloatAndBack()
    {
        Half[] all = Enumerable.Range(0, 65536).Select(i => BitConverter.UInt16BitsToHalf((ushort)i)).ToArray();
        using var source = new GuardedArray<Half>(all);
        using var wide = new GuardedArray<float>(65536);
        using var back = new GuardedArray<Half>(65536);
        Conversion.HalfToFloat(source.Pointer, 65536, wide.Pointer);
        Conversion.FloatToHalf(wide.Pointer, 65536, back.Pointer);
        for (int i = 0; i < 65536; i++)
        {
            Assert.Equal((float)all[i], wide[i]);
            if (!Half.IsNaN(all[i])) Assert.Equal(i, BitConverter.HalfToUInt16Bits(back[i]));
            else Assert.True(Half.IsNaN(back[i]));
        }
    }

    [Fact]
    public void AllLengths()
    {
        foreach (int n in Lengths)
        {
            double[] x = Random(n, n, scale: 1000);
            float[] single = x.Select(v => (float)v).ToArray();
            using var f = new GuardedArray<float>(single);
            using var d = new GuardedArray<double>(x.Select(v => v * 1.0000000123).ToArray());
            using var bf = new GuardedArray<ushort>(single.Select(Conversion.ToBFloat16Bits).ToArray());
            using var h = new GuardedArray<Half>(single.Select(v => (Half)v).ToArray());
            Same<ushort>(n, bf.Span, o => Conversion.FloatToBFloat16(f.Pointer, n, o.Pointer));
            Same<Half>(n, h.Span, o => Conversion.FloatToHalf(f.Pointer, n, o.Pointer));
            Same<float>(n, bf.Span.ToArray().Select(Conversion.FromBFloat16Bits).ToArray(), o => Conversion.BFloat16ToFloat(bf.Pointer, n, o.Pointer));
            Same<float>(n, h.Span.ToArray().Select(v => (float)v).ToArray(), o => Conversion.HalfToFloat(h.Pointer, n, o.Pointer));
            Same<double>(n, single.Select(v => (double)v).ToArray(), o => Conversion.FloatToDouble(f.Pointer, n, o.Pointer));
            Same<float>(n, d.Span.ToArray().Select(v => (float)v).ToArray(), o => Conversion.DoubleToFloat(d.Pointer, n, o.Pointer));
        }
    }

    private static void Same<T>(int n, ReadOnlySpan<T> expected, Action<GuardedArray<T>> kernel)
        where T : unmanaged
    {
        using var output = SameForAnyThreads<T>(new T[n], kernel);
        Assert.Equal(expected.ToArray(), output.Span.ToArray());
    }
}
