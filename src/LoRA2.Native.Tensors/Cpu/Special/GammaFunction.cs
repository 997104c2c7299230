namespace LoRA2.Native.Tensors.Cpu.Special;

/// <summary>ln |Γ|, the digamma function and its derivatives.</summary>
internal static class GammaFunction
{
    /// <summary>B₂ₙ / (2n (2n − 1)): Stirling's series.</summary>
    private static readonly double[] Stirling =
        [1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400];

    /// <summary>B₂ₙ.</summary>
    private static readonly double[] Bernoulli = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510];

    /// <summary>Cephes' series of the digamma function, highest power of 1/x² first.</summary>
    private static readonly double[] Digammas =
        [1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12];

    /// <summary>ln |Γ(x)|: Stirling's series after x was moved beyond 10; by reflection below 0.5. Infinite at 0, −1, …</summary>
    public static double LogGamma(double x)
    {
        if (double.IsNaN(x)) return x;
        if (double.IsInfinity(x)) return double.PositiveInfinity;
        if (x <= 0 && x == Math.Floor(x)) return double.PositiveInfinity;
        if (x < 0.5) return Math.Log(Math.PI / Math.Abs(Math.Sin(Math.PI * (x - Math.Round(x))))) - LogGamma(1 - x);
        double product = 1;
        for (; x < 10; x++) product *= x;
        double inverse = 1 / (x * x);
        double series = 0;
        for (int i = Stirling.Length - 1; i >= 0; i--) series = (series * inverse) + Stirling[i];
        return ((x - 0.5) * Math.Log(x)) - x + 0.91893853320467274178 + (series / x) - Math.Log(product);
    }

    /// <summary>The derivative of ln Γ, as Cephes has it.</summary>
    public static double Digamma(double x)
    {
        if (x == 0) return Math.CopySign(double.PositiveInfinity, -x);
        if (x < 0)
        {
            double whole = Math.Truncate(x);
            return x == whole ? double.NaN : Digamma(1 - x) - (Math.PI / Math.Tan(Math.PI * (x - whole)));
        }

        double result = 0;
        for (; x < 10; x++) result -= 1 / x;
        if (x == 10) return result + 2.25175258906672110764;
        double y = 0;
        if (x < 1e17)
        {
            double z = 1 / (x * x);
            foreach (double coefficient in Digammas) y = (y * z) + coefficient;
            y *= z;
        }

        return result + Math.Log(x) - (0.5 / x) - y;
    }

    /// <summary>The derivative of order <paramref name="order"/> of the digamma function.</summary>
    public static double Polygamma(int order, double x) => order switch
    {
        0 => Digamma(x),
        1 => Trigamma(x),
        _ => (order % 2 == 0 ? -1 : 1) * Factorial(order) * HurwitzZeta(order + 1, x),
    };

    /// <summary>The derivative of the digamma function to nine digits, in PyTorch's steps: six of recurrence, then three terms of the series.</summary>
    private static double Trigamma(double x)
    {
        double sign = 1;
        double result = 0;
        if (x < 0.5)
        {
            sign = -1;
            double sine = Math.Sin(Math.PI * x);
            result -= Math.PI * Math.PI / (sine * sine);
            x = 1 - x;
        }

        for (int i = 0; i < 6; i++, x++) result += 1 / (x * x);
        double inverse = 1 / (x * x);
        result += (1 + (1 / (2 * x)) + (inverse * ((1.0 / 6) - (inverse * ((1.0 / 30) - (inverse * (1.0 / 42))))))) / x;
        return sign * result;
    }

    /// <summary>Σ (x + k)^−s over k ≥ 0, for an integer s ≥ 2, by Euler and Maclaurin.</summary>
    private static double HurwitzZeta(int s, double x)
    {
        double sum = 0;
        for (; x < 12; x++) sum += Math.Pow(x, -s);
        sum += (Math.Pow(x, 1 - s) / (s - 1)) + (0.5 * Math.Pow(x, -s));
        double rising = s;
        double power = Math.Pow(x, -s - 1);
        double factorial = 2;
        for (int i = 0; i < Bernoulli.Length; i++)
        {
            sum += Bernoulli[i] / factorial * rising * power;
            int n = 2 * (i + 1);
            rising *= (s + n - 1.0) * (s + n);
            factorial *= (n + 1.0) * (n + 2);
            power /= x * x;
        }

        return sum;
    }

    private static double Factorial(int n)
    {
        double product = 1;
        for (int i = 2; i <= n; i++) product *= i;
        return product;
    }
}
