using System.CommandLine;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>The options of a command that makes many runs.</summary>
internal sealed class ComparisonOptions(string output)
{
    public Option<string> Output { get; } = new("--output") { Description = output, HelpName = "DIR", Required = true };

    public Option<int?> Parallel { get; } = NumberOption.Int("--parallel", "runs at a time, which share the threads [1]", 1, 1024);

    public Option<bool> Json { get; } = new("--json") { Description = "one JSON object on standard output in the end, all else on standard error" };

    public IEnumerable<Option> All => [Output, Parallel, Json];

    /// <exception cref="InputException">There is no name.</exception>
    public ComparisonRequest Of(ParseResult parsed)
    {
        string folder = parsed.GetValue(Output)!;
        if (folder.Length == 0) throw new InputException("option --output is empty; a folder's name was expected");
        return new ComparisonRequest(Path.GetFullPath(folder), parsed.GetValue(Parallel) ?? 1, parsed.GetValue(Json));
    }
}

/// <summary>How runs are made.</summary>
/// <param name="Output">The folder for everything.</param>
/// <param name="Parallel">Runs at a time.</param>
/// <param name="Json">Whether the results go to standard output as JSON.</param>
internal sealed record ComparisonRequest(string Output, int Parallel, bool Json);
