using System.Runtime.InteropServices;
using FsCheck.Xunit;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared.Safetensors;

namespace LoRA2.Native.Safetensors.Tests;

public class ElementConversionTests
{
    [Fact]
    public void EveryHalfAndEveryBFloat16ThereAndBack()
    {
        foreach (SafetensorsDType dtype in new[] { SafetensorsDType.F16, SafetensorsDType.BF16 })
        {
            ushort[] all = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
            float[] wide = new float[all.Length];
            ElementConversion.ToFloat32(dtype, MemoryMarshal.AsBytes<ushort>(all), wide);
            ushort[] back = new ushort[all.Length];
            ElementConversion.FromFloat32(wide, dtype, MemoryMarshal.AsBytes(back.AsSpan()));
            for (int i = 0; i < all.Length; i++)
            {
                float expected = dtype == SafetensorsDType.F16 ? (float)BitConverter.UInt16BitsToHalf(all[i])
                    : BitConverter.UInt32BitsToSingle((uint)all[i] << 16);
                Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(wide[i]));
                if (float.IsNaN(expected)) Assert.True(float.IsNaN(Widen(dtype, back[i])));
                else Assert.Equal(all[i], back[i]);
            }
        }
    }

    [Fact]
    public void SpecialValuesAreNarrowedToTheNearestEven()
    {
        float[] values =
        [
            0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue,
            float.Epsilon, 65504f, 65519.99f, 65520f,
            .. ((uint[])[0x7F80_0001, 0xFFFF_FFFF, 0x3F80_8000, 0x3F81_8000, 0x3F80_8001]).Select(BitConverter.UInt32BitsToSingle),
        ];
        Narrow(values);
        // One alone fills no vector.
        foreach (float value in values) Narrow([value]);
    }

    [Property(MaxTest = 1000)]
    public void NarrowingRoundsToNearestEven(NarrowedValues drawn) => Narrow([.. drawn.Values]);

    private static void Narrow(float[] values)
    {
        foreach (SafetensorsDType dtype in new[] { SafetensorsDType.F16, SafetensorsDType.BF16 })
        {
            ushort[] narrow = new ushort[values.Length];
            ElementConversion.FromFloat32(values, dtype, MemoryMarshal.AsBytes(narrow.AsSpan()));
            for (int i = 0; i < narrow.Length; i++)
            {
                if (float.IsNaN(values[i])) Assert.True(float.IsNaN(Widen(dtype, narrow[i])), $"{values[i]}");
                else if (dtype == SafetensorsDType.F16) Assert.Equal(BitConverter.HalfToUInt16Bits((Half)values[i]), narrow[i]);
                else Assert.Equal(NearestBFloat16(values[i]), narrow[i]);
            }
        }
    }

    [Fact]
    public void EveryLengthAndEveryType()
    {
        for (int n = 0; n <= 70; n++)
        {
            float[] values = [.. Enumerable.Range(0, n).Select(i => (i - 20) * 0.5f)];
            foreach (SafetensorsDType dtype in new[] { SafetensorsDType.F32, SafetensorsDType.F64, SafetensorsDType.F16, SafetensorsDType.BF16 })
            {
                // An odd offset: a file's tensors need not be aligned.
                byte[] bytes = new byte[n * dtype.Size() + 1];
                ElementConversion.FromFloat32(values, dtype, bytes.AsSpan(1));
                float[] back = new float[n];
                ElementConversion.ToFloat32(dtype, bytes.AsSpan(1), back);
                Assert.Equal(values, back);
            }
            int[] integers = [.. Enumerable.Range(-3, n)];
            long[] longs = [.. integers.Select(i => (long)i)];
            // Each its own array: what another conversion left there would be right as well.
            int[] read = new int[n], alsoRead = new int[n];
            float[] asFloat = new float[n], alsoAsFloat = new float[n];
            ElementConversion.ToInt32(SafetensorsDType.I64, MemoryMarshal.AsBytes<long>(longs), read);
            Assert.Equal(integers, read);
            ElementConversion.ToInt32(SafetensorsDType.I32, MemoryMarshal.AsBytes<int>(integers), alsoRead);
            Assert.Equal(integers, alsoRead);
            ElementConversion.ToFloat32(SafetensorsDType.I64, MemoryMarshal.AsBytes<long>(longs), asFloat);
            Assert.Equal(integers.Select(i => (float)i), asFloat);
            ElementConversion.ToFloat32(SafetensorsDType.I32, MemoryMarshal.AsBytes<int>(integers), alsoAsFloat);
            Assert.Equal(integers.Select(i => (float)i), alsoAsFloat);
        }
    }

    [Fact]
    public void RefusesLengthsThatDisagreeAndNumbersThatDoNotFit()
    {
        var e = Assert.Throws<ArgumentException>(() => ElementConversion.ToFloat32(SafetensorsDType.F16, new byte[5], new float[2]));
        Assert.Equal("5 bytes hold no 2 elements of F16: expected 4 bytes.", e.Message);
        Assert.Throws<ArgumentException>(() => ElementConversion.ToInt32(SafetensorsDType.I32, new byte[4], new int[2]));
        Assert.Throws<ArgumentException>(() => ElementConversion.FromFloat32(new float[2], SafetensorsDType.F64, new byte[8]));
        Assert.Throws<ArgumentException>(() => ElementConversion.FromFloat32(new float[1], SafetensorsDType.F32, new byte[8]));
        (string Message, Action Call)[] types =
        [
            ("Not an element type.", () => ElementConversion.ToFloat32(SafetensorsDType.U8, new byte[1], new float[1])),
            ("Float32 is written as a floating-point type only.", () => ElementConversion.FromFloat32(new float[2], SafetensorsDType.I32, new byte[8])),
            ("Only integers are read as int.", () => ElementConversion.ToInt32(SafetensorsDType.F32, new byte[8], new int[2])),
        ];
        Assert.All(types, type => Assert.StartsWith(type.Message, Assert.Throws<ArgumentOutOfRangeException>(type.Call).Message));
        Assert.Throws<OverflowException>(() => ElementConversion.ToInt32(SafetensorsDType.I64, BitConverter.GetBytes(1L << 31), new int[1]));
    }

    /// <summary>As IEEE 754's conversions are: a third value, one midway between two floats, one beyond them, and whole numbers that a float does not hold.</summary>
    [Fact]
    public void WiderNumbersAreRoundedToNearestEven()
    {
        float[] read = new float[5];
        double[] doubles = [0.1, 1 + Math.Pow(2, -24), 1 + (3 * Math.Pow(2, -24)), 1e300, double.NaN];
        ElementConversion.ToFloat32(SafetensorsDType.F64, MemoryMarshal.AsBytes<double>(doubles), read);
        Assert.Equal([0.1f, 1, 1 + MathF.Pow(2, -22), float.PositiveInfinity, float.NaN], read);
        long[] longs = [(1 << 24) + 1, (1 << 24) + 3, long.MaxValue, long.MinValue, -1];
        ElementConversion.ToFloat32(SafetensorsDType.I64, MemoryMarshal.AsBytes<long>(longs), read);
        Assert.Equal([1 << 24, (1 << 24) + 4, MathF.Pow(2, 63), -MathF.Pow(2, 63), -1], read);
    }

    private static float Widen(SafetensorsDType dtype, ushort bits) =>
        dtype == SafetensorsDType.F16 ? (float)BitConverter.UInt16BitsToHalf(bits) : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    // The nearer of the two neighbours by their distance in double; of two as near, the even one.
    private static ushort NearestBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        ushort down = (ushort)(bits >> 16), up = (ushort)(down + 1);
        if ((bits & 0xFFFF) == 0) return down;
        double low = Widen(SafetensorsDType.BF16, down), high = Widen(SafetensorsDType.BF16, up);
        if (double.IsInfinity(high)) high = Math.CopySign(Math.Pow(2, 128), high);
        double toLow = Math.Abs(value - low), toHigh = Math.Abs(value - high);
        return toLow < toHigh || (toLow == toHigh && down % 2 == 0) ? down : up;
    }

    [Fact]
    public void TheFirstValueThatIsNotFiniteIsFoundAtEveryPlaceAndLength()
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            for (int length = 1; length < 70; length++)
            {
                float[] values = [.. Enumerable.Range(0, length).Select(i => i % 2 == 0 ? float.MaxValue : -float.Epsilon)];
                Assert.Equal(-1, ElementConversion.IndexOfNonFinite(values));
                for (int at = length - 1; at >= 0; at -= 3)
                {
                    values[at] = bad;
                    Assert.Equal(at, ElementConversion.IndexOfNonFinite(values));
                }
            }
        }

        Assert.Equal(1, ElementConversion.IndexOfNonFinite(SafetensorsDType.F32, MemoryMarshal.AsBytes<float>([1, float.NaN])));
        Assert.Equal(-1, ElementConversion.IndexOfNonFinite(SafetensorsDType.F64, MemoryMarshal.AsBytes<double>([1, double.NaN])));
        for (int i = 0; i < 65536; i++)
        {
            byte[] bytes = [.. BitConverter.GetBytes((ushort)0), .. BitConverter.GetBytes((ushort)i)];
            Assert.Equal(Half.IsFinite(BitConverter.UInt16BitsToHalf((ushort)i)) ? -1 : 1, ElementConversion.IndexOfNonFinite(SafetensorsDType.F16, bytes));
            Assert.Equal(float.IsFinite(BitConverter.UInt32BitsToSingle((uint)i << 16)) ? -1 : 1, ElementConversion.IndexOfNonFinite(SafetensorsDType.BF16, bytes));
        }
    }
}
