using System.Globalization;

namespace LoRA2.Native.Experiments.Reporting;

/// <summary>A linear or logarithmic scale with round ticks.</summary>
internal sealed class Axis
{
    private Axis(double from, double to, bool isLogarithmic, double[] ticks, Func<double, string> format)
    {
        From = from;
        To = to;
        IsLogarithmic = isLogarithmic;
        Ticks = ticks;
        Format = format;
    }

    public double From { get; }

    public double To { get; }

    public bool IsLogarithmic { get; }

    public IReadOnlyList<double> Ticks { get; }

    public Func<double, string> Format { get; }

    /// <summary>Where a value is, 0 at the start and 1 at the end.</summary>
    public double Place(double value) => IsLogarithmic
        ? (Math.Log10(value) - Math.Log10(From)) / (Math.Log10(To) - Math.Log10(From))
        : (value - From) / (To - From);

    /// <summary>An axis from a tick at or below the least value to one at or above the greatest.</summary>
    public static Axis Over(double least, double greatest, int ticks = 5)
    {
        (least, greatest) = Widened(least, greatest);
        double step = RoundStep((greatest - least) / ticks);
        double from = Math.Floor((least / step) + 1e-9) * step, to = Math.Ceiling((greatest / step) - 1e-9) * step;
        return new Axis(from, to, false, Multiples(from, to, step), value => Number(value, step, Math.Max(Math.Abs(from), Math.Abs(to))));
    }

    /// <summary>Exactly from one value to the other, the ticks within: for steps and time.</summary>
    public static Axis Between(double from, double to, int ticks = 6)
    {
        (from, to) = Widened(from, to);
        double step = RoundStep((to - from) / ticks);
        return new Axis(from, to, false, Multiples(Math.Ceiling((from / step) - 1e-9) * step, to, step), value => Number(value, step, Math.Max(Math.Abs(from), Math.Abs(to))));
    }

    /// <summary>Powers of ten around values above 0.</summary>
    public static Axis Logarithmic(double least, double greatest)
    {
        int from = (int)Math.Floor(Math.Log10(least) + 1e-9), to = Math.Max(from + 1, (int)Math.Ceiling(Math.Log10(greatest) - 1e-9));
        int stride = Math.Max(1, (to - from + 5) / 6);
        double[] ticks = [.. Enumerable.Range(0, ((to - from) / stride) + 1).Select(i => Math.Pow(10, from + (i * stride)))];
        return new Axis(Math.Pow(10, from), Math.Pow(10, to), true, ticks, value => value is >= 0.001 and < 100_000 ? value.ToString("0.###", CultureInfo.InvariantCulture) : value.ToString("0e0", CultureInfo.InvariantCulture));
    }

    /// <summary>1, 2 or 5 times a power of ten, at least the width.</summary>
    private static double RoundStep(double width)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(width)));
        double digit = width / power;
        return (digit <= 1.0000001 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
    }

    private static (double Least, double Greatest) Widened(double least, double greatest)
    {
        double room = Math.Max(Math.Abs(least), Math.Abs(greatest)) * 1e-6;
        if (greatest - least > room) return (least, greatest);
        double half = least == 0 ? 0.5 : Math.Abs(least) / 2;
        return (least - half, greatest + half);
    }

    // Adding 0 makes 0 of a negative 0, which would be written as -0.
    private static double[] Multiples(double first, double last, double step) =>
        [.. Enumerable.Range(0, (int)Math.Floor(((last - first) / step) + 1e-6) + 1).Select(i => (Math.Round((first / step) + i) * step) + 0.0)];

    private static string Number(double value, double step, double greatest)
    {
        if (greatest is >= 1e6 or < 1e-3) return value == 0 ? "0" : value.ToString("0.##e0", CultureInfo.InvariantCulture);
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 6);
        return value.ToString($"#,0.{new string('0', decimals)}", CultureInfo.InvariantCulture);
    }
}
