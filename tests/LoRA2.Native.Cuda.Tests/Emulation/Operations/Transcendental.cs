namespace LoRA2.Native.Cuda.Tests.Emulation.Operations;

// The hardware's approximations are within a few units of the last place of these, except where noted.

internal readonly struct Exp2 : IUnary<float, float>
{
    public static float Apply(float a) => (float)Math.Pow(2, a);
}

internal readonly struct Log2 : IUnary<float, float>
{
    public static float Apply(float a) => (float)Math.Log2(a);
}

internal readonly struct Reciprocal : IUnary<float, float>
{
    public static float Apply(float a) => 1 / a;
}

internal readonly struct ReciprocalDouble : IUnary<double, double>
{
    public static double Apply(double a) => 1 / a;
}

internal readonly struct ReciprocalSquareRoot : IUnary<float, float>
{
    public static float Apply(float a) => (float)(1 / Math.Sqrt(a));
}

internal readonly struct ReciprocalSquareRootDouble : IUnary<double, double>
{
    public static double Apply(double a) => 1 / Math.Sqrt(a);
}

internal readonly struct SquareRoot : IUnary<float, float>
{
    public static float Apply(float a) => MathF.Sqrt(a);
}

internal readonly struct SquareRootDouble : IUnary<double, double>
{
    public static double Apply(double a) => Math.Sqrt(a);
}

internal readonly struct Sine : IUnary<float, float>
{
    public static float Apply(float a) => (float)Math.Sin(a);
}

internal readonly struct Cosine : IUnary<float, float>
{
    public static float Apply(float a) => (float)Math.Cos(a);
}

/// <summary>
/// <c>tanh.approx</c>: the hardware's result has a relative error of up to 2^-11. The last bits are rounded away here, so that
/// a kernel that needs more does not pass.
/// </summary>
internal readonly struct HyperbolicTangent : IUnary<float, float>
{
    public static float Apply(float a)
    {
        var bits = BitConverter.SingleToUInt32Bits((float)Math.Tanh(a));
        return float.IsNaN(a) ? a : BitConverter.UInt32BitsToSingle((bits + 0x1000) & 0xFFFFE000);
    }
}
