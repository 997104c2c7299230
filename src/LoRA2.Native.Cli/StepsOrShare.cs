using System.Globalization;

namespace LoRA2.Native.Cli;

/// <summary>A part of a run: below 1 a share of its steps, else a number of steps.</summary>
internal readonly record struct StepsOrShare(double Value)
{
    /// <summary>Whether it is a share.</summary>
    public bool IsShare => Value < 1;

    public int Of(int totalSteps) => IsShare ? (int)Math.Ceiling(Value * totalSteps) : (int)Value;

    public static bool TryParse(string text, out StepsOrShare parsed)
    {
        bool number = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
        parsed = new StepsOrShare(value);
        return number && value >= 0 && (value < 1 || (value == Math.Floor(value) && value <= int.MaxValue));
    }
}
