using System.CommandLine;

namespace LoRA2.Native.Cli;

/// <summary>The numbers of a command line, each held to its range.</summary>
internal sealed class OptionRange(ParseResult parsed)
{
    /// <summary>The number given, or null.</summary>
    /// <exception cref="InputException">It is out of range.</exception>
    public int? Int(Option<int?> option, int least, int most = int.MaxValue)
    {
        if (parsed.GetValue(option) is not { } value) return null;
        if (value >= least && value <= most) return value;
        string expected = most == int.MaxValue ? $"at least {least}" : $"{least} to {most}";
        throw new InputException($"option {option.Name} is {value}; {expected} was expected");
    }

    /// <inheritdoc cref="Int"/>
    public double? Number(Option<double?> option, double least, double most)
    {
        if (parsed.GetValue(option) is not { } value) return null;
        return value >= least && value <= most ? value : throw new InputException($"option {option.Name} is {value}; {least} to {most} was expected");
    }
}
