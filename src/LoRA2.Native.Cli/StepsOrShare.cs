using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LoRA2.Native.Cli;

/// <summary>A part of a run: below 1 a share of its steps, else a number of steps.</summary>
internal readonly record struct StepsOrShare(double Value)
{
    /// <summary>Whether it is a share.</summary>
    public bool IsShare => Value < 1;

    public int Of(int totalSteps) => IsShare ? (int)Math.Ceiling(Value * totalSteps) : (int)Value;

    /// <summary>An option that takes one.</summary>
    public static Option<StepsOrShare?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "STEPS|SHARE",
        CustomParser = Parse,
    };

    private static StepsOrShare? Parse(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        bool number = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
        if (number && value >= 0 && (value < 1 || (value == Math.Floor(value) && value <= int.MaxValue))) return new StepsOrShare(value);
        string option = ((OptionResult)result.Parent!).Option.Name;
        result.AddError($"option {option} is '{text}'; a whole number of steps or a share from 0 to 1 was expected");
        return null;
    }
}
