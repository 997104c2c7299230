using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class ActivationTests : KernelTest
{
    [Fact]
    public void GeluIsXTimesTheNormalCdfToRoundingError()
    {
        foreach ((double x, double cdf) in NormalCdfTable.Rows)
        {
            // In float the last digits before underflow are subnormal: allow one of those.
            Near(x * cdf, GeluOf((float)x), 6e-7, 1.5e-45 * Math.Max(1, Math.Abs(x)));
            Near(x * cdf, GeluOf(x), 3e-15, 0);
            double slope = cdf + (x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
            Near(slope, GeluSlope((float)x), 6e-7, 2e-7 * Math.Min(1, Math.Exp(-x * x / 2) * Math.Abs(x)) + 3e-45);
            Near(slope, GeluSlope(x), 1e-14, 1e-15 * Math.Exp(-x * x / 2) * Math.Abs(x));
        }
    }

    [Fact]
    public void GeluKeepsInfinityZeroAndNan()
    {
        Assert.Equal(float.PositiveInfinity, GeluOf(float.PositiveInfinity));
        Assert.Equal(double.PositiveInfinity, GeluOf(double.PositiveInfinity));
        Assert.Equal(0f, GeluOf(0f));
        Assert.True(float.IsNaN(GeluOf(float.NaN)));
        Assert.True(double.IsNaN(GeluOf(double.NaN)));
        Assert.Equal(0.0, GeluOf(-1e300));
    }

    [Fact]
    public void TheCoarseGeluIsWithinItsErrorOfTheExactOne()
    {
        float[] x = [.. Enumerable.Range(-4000, 8001).Select(i => i / 500f), -1e4f, 1e4f, 1e30f, 0];
        float[] exact = new float[x.Length], coarse = new float[x.Length];
        foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
        {
            SimdPaths.Forced = path;
            try
            {
                fixed (float* from = x, to = exact, rough = coarse)
                {
                    Activations.Forward(Activation.Gelu, from, x.Length, to);
                    Map.Unary(default(CoarseGelu<float>), from, rough, x.Length);
                }
            }
            finally
            {
                SimdPaths.Forced = null;
            }

            for (int i = 0; i < x.Length; i++) Assert.True(Math.Abs(coarse[i] - exact[i]) <= CoarseGelu<float>.Error + (1.5e-7 * Math.Abs(x[i])), $"{path}: gelu({x[i]}) is {coarse[i]}; {exact[i]} was expected");
        }

        float nan = float.NaN, result = 0;
        Map.Unary(default(CoarseGelu<float>), &nan, &result, 1);
        Assert.True(float.IsNaN(result));
    }

    [Fact]
    public void ExpFloat() => Exp<float>(1.5e-7, 2e-45, [-200, -104, -103, -88, -87.5, -1, -1e-9, 0, 0.3, 1, 50, 88.7]);

    [Fact]
    public void ExpDouble() => Exp<double>(4e-16, 1e-323, [-2000, -746, -745, -709, -708.5, -1, -1e-18, 0, 0.3, 1, 50, 709.7]);

    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (int n in Lengths)
        {
            double[] x = Random(n, n, scale: 4), dy = Random(n, n + 1), z = Random(n, n + 2);
            using var a = Array<T>(x);
            using var b = Array<T>(dy);
            double[] y = x.Select(v => v * Reference(v)).ToArray();
            double[] dx = x.Zip(dy, (v, d) => d * (Reference(v) + (v * Math.Exp(-v * v / 2) / Math.Sqrt(2 * Math.PI)))).ToArray();
            Is(z, y, o => Activations.Forward(Activation.Gelu, a.Pointer, n, o));
            Is(x, y, o => Activations.Forward(Activation.Gelu, o, n, o));
            Is(z, dx, o => Activations.Backward(Activation.Gelu, a.Pointer, b.Pointer, n, o, accumulate: false));
            Is(z, dx.Zip(z, (p, q) => p + q), o => Activations.Backward(Activation.Gelu, a.Pointer, b.Pointer, n, o, accumulate: true));

            double[] tanh = x.Select(Math.Tanh).ToArray();
            double[] slope = tanh.Zip(dy, (v, d) => d * (1 - (v * v))).ToArray();
            Is(z, tanh, o => Activations.Forward(Activation.Tanh, a.Pointer, n, o));
            Is(z, slope, o => Activations.Backward(Activation.Tanh, a.Pointer, b.Pointer, n, o, accumulate: false));
            Is(z, slope.Zip(z, (p, q) => p + q), o => Activations.Backward(Activation.Tanh, a.Pointer, b.Pointer, n, o, accumulate: true));
        }

        void Is(double[] initial, IEnumerable<double> expected, Kernel<T> kernel)
        {
            using var output = SameForAnyThreads<T>(initial, o => kernel(o.Pointer));
            Close(expected.ToArray(), output, single: 1e-6, twice: 3e-15);
        }
    }

    [Theory]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.GeluTanh)]
    [InlineData(Activation.QuickGelu)]
    [InlineData(Activation.Mish)]
    public void TheSmoothOnesHaveTheirFormulasValuesAndSlopes(Activation activation)
    {
        foreach (float x in (float[])[-60, -30, -12, -5, -1, -0.1f, -1e-4f, 0, 1e-3f, 0.7f, 3, 12, 25, 90])
        {
            (double value, double slope) = (Formula(activation, x), (Formula(activation, x + 1e-5) - Formula(activation, x - 1e-5)) / 2e-5);
            Near(value, Of(x), 4e-6, 1e-37);
            Near(slope, SlopeOf(x), 8e-6, 1e-8);
            Near(value, OfDouble(x), 1e-13, 1e-300);
        }

        Assert.Equal(0f, Of(-2000f));
        Assert.Equal(0f, SlopeOf(-2000f));
        Assert.Equal(1e30f, Of(1e30f));
        Assert.Equal(1f, SlopeOf(1e30f));
        Assert.True(float.IsNaN(Of(float.NaN)) && float.IsNaN(SlopeOf(float.NaN)));

        unsafe float Of(float x)
        {
            float y;
            Activations.Forward(activation, &x, 1, &y);
            return y;
        }

        unsafe double OfDouble(double x)
        {
            double y;
            Activations.Forward(activation, &x, 1, &y);
            return y;
        }

        unsafe float SlopeOf(float x)
        {
            float one = 1, dx;
            Activations.Backward(activation, &x, &one, 1, &dx, accumulate: false);
            return dx;
        }
    }

    [Theory]
    [InlineData(1e-30)]
    [InlineData(1e-4)]
    [InlineData(-0.3)]
    [InlineData(0.6249999)]
    [InlineData(0.6250001)]
    [InlineData(-3.0)]
    [InlineData(8.5)]
    [InlineData(500)]
    public void TanhIsAccurateRelativeToItsValue(double x)
    {
        float single = (float)x, y;
        Activations.Forward(Activation.Tanh, &single, 1, &y);
        Near(Math.Tanh(single), y, 2.5e-7, 0);
        double z;
        Activations.Forward(Activation.Tanh, &x, 1, &z);
        Near(Math.Tanh(x), z, 6e-16, 0);
    }

    private static void Exp<T>(double relative, double absolute, double[] values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (double value in values)
        {
            T x = Of<T>(value);
            double expected = Math.Exp(double.CreateTruncating(x));
            Near(expected, double.CreateTruncating(ExpOf(x)), relative, absolute);
        }

        Assert.Equal(T.Zero, ExpOf(T.NegativeInfinity));
        Assert.Equal(T.PositiveInfinity, ExpOf(T.PositiveInfinity));
        Assert.True(T.IsNaN(ExpOf(T.NaN)));
        Assert.Equal(T.One, ExpOf(T.Zero));
    }

    /// <summary>Every float there is from 4 to 20, which are those that gelu asks for. A fraction of ones alone is the exception that the method is known to have.</summary>
    [InstructionsFact(Instructions.Vector512)]
    public void AReciprocalIsRoundedAsADivisionIs()
    {
        for (uint bits = BitConverter.SingleToUInt32Bits(4), end = BitConverter.SingleToUInt32Bits(20); bits < end; bits += 16)
        {
            Vector512<float> value = (Vector512.Create(bits) + Vector512<uint>.Indices).AsSingle();
            Vector512<float> reciprocal = Unsafe.BitCast<Simd512<float>, Vector512<float>>(Simd512<float>.Reciprocal(Unsafe.BitCast<Vector512<float>, Simd512<float>>(value)));
            Vector512<float> division = Vector512<float>.One / value, ones = Vector512.Equals(value.AsUInt32() & Vector512.Create(0x7FFFFFu), Vector512.Create(0x7FFFFFu)).AsSingle();
            reciprocal = Vector512.ConditionalSelect(ones, division, reciprocal);
            if (reciprocal != division) Assert.Equal(division, reciprocal);
        }
    }

    private static T ExpOf<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T narrow = VectorMath.Exp<Simd128<T>, T>(Simd128<T>.Create(x)) is var a ? Simd128<T>.Largest(a) : default;
        T middle = Simd256<T>.Largest(VectorMath.Exp<Simd256<T>, T>(Simd256<T>.Create(x)));
        T wide = Simd512<T>.Largest(VectorMath.Exp<Simd512<T>, T>(Simd512<T>.Create(x)));
        // Scaling rounds once or twice, so results below the normal range may differ.
        if (Vector256.IsHardwareAccelerated && T.IsNormal(wide)) Assert.Equal(wide, middle);
        return Vector512.IsHardwareAccelerated ? wide : Vector256.IsHardwareAccelerated ? middle : narrow;
    }

    private static T GeluOf<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T y;
        Activations.Forward(Activation.Gelu, &x, 1, &y);
        return y;
    }

    private static T GeluSlope<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T one = T.One, dx;
        Activations.Backward(Activation.Gelu, &x, &one, 1, &dx, accumulate: false);
        return dx;
    }

    // Enough for the tests over lengths; the table has the full precision.
    private static double Reference(double x)
    {
        double y;
        double copy = x;
        Activations.Forward(Activation.Gelu, &copy, 1, &y);
        return x == 0 ? 0.5 : y / x;
    }

    /// <summary>As HuggingFace defines them, but each sigmoid by itself, so that no tail loses its digits.</summary>
    private static double Formula(Activation activation, double x)
    {
        static double Sigmoid(double g) => 1 / (1 + Math.Exp(-g));
        double e = Math.Exp(Math.Min(x, 300));
        return activation switch
        {
            Activation.Silu => x * Sigmoid(x),
            Activation.GeluTanh => x * Sigmoid(2 * Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))),
            Activation.QuickGelu => x * Sigmoid(1.702 * x),
            _ => x * (e * (e + 2) / ((e * (e + 2)) + 2)),
        };
    }

    private static void Near(double expected, double actual, double relative, double absolute)
    {
        if (expected.Equals(actual)) return;
        Assert.True(
            Math.Abs(expected - actual) <= (relative * Math.Abs(expected)) + absolute, $"{actual:R} instead of {expected:R}.");
    }

    private delegate void Kernel<T>(T* output)
        where T : unmanaged;
}
