using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LoRA2.Native.Cli;

/// <summary>Options that take a number, held to its range while the command line is parsed; null when not given.</summary>
internal static class NumberOption
{
    public static Option<int?> Int(string name, string description, int least, int most = int.MaxValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => int.TryParse(Text(result), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : Refuse<int?>(result, most == int.MaxValue ? $"a whole number of at least {least}" : $"a whole number from {least} to {most}"),
    };

    public static Option<ulong?> Seed(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => ulong.TryParse(Text(result), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : Refuse<ulong?>(result, $"a whole number from 0 to {ulong.MaxValue}"),
    };

    public static Option<double?> Real(string name, string description, double least, double most) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result => double.TryParse(Text(result), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most
            ? value
            : Refuse<double?>(result, $"a number from {least} to {most}"),
    };

    /// <summary>Below 1 a share of a run, else a number of steps.</summary>
    public static Option<StepsOrShare?> Steps(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "STEPS|SHARE",
        CustomParser = result => StepsOrShare.TryParse(Text(result), out StepsOrShare value) ? value : Refuse<StepsOrShare?>(result, "a whole number of steps or a share from 0 to 1"),
    };

    private static string Text(ArgumentResult result) => result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;

    private static T? Refuse<T>(ArgumentResult result, string expected)
    {
        string name = result.Parent is OptionResult option ? option.Option.Name : "";
        result.AddError($"option {name} is '{Text(result)}'; {expected} was expected");
        return default;
    }
}
