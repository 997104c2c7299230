using System.Text.RegularExpressions;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>A regular expression of modules' names in an <c>adapter_config.json</c>. It is somebody else's, and may be one that never comes to an end.</summary>
internal sealed class ModulePattern
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private readonly Regex regex;
    private readonly Func<string, InputException> fault;

    private ModulePattern(ConfigFields fields, string field, string text, string prefix)
    {
        (Text, fault) = (text, what => fields.Error($"{field} {what}"));
        try
        {
            regex = new Regex($"\\A{prefix}(?:{text})\\z", RegexOptions.CultureInvariant, Longest);
        }
        catch (ArgumentException e)
        {
            throw fault($"has no regular expression: {e.Message}");
        }
    }

    /// <summary>As the config has it.</summary>
    public string Text { get; }

    /// <summary>A pattern of the whole name.</summary>
    /// <exception cref="InputException">It is no regular expression.</exception>
    public static ModulePattern Whole(ConfigFields fields, string field, string text) => new(fields, field, text, "");

    /// <summary>A pattern of the whole name, or of what follows one of its points.</summary>
    /// <exception cref="InputException">It is no regular expression.</exception>
    public static ModulePattern Ending(ConfigFields fields, string field, string text) => new(fields, field, text, "(?:.*\\.)?");

    /// <summary>Whether a module is meant.</summary>
    /// <exception cref="InputException">It takes too long to say.</exception>
    public bool IsMatch(string module)
    {
        try
        {
            return regex.IsMatch(module);
        }
        catch (RegexMatchTimeoutException)
        {
            throw fault($"has the regular expression {Quote.Name(Text)}, which took over {Longest.TotalSeconds} s for the name {Quote.Name(module)}");
        }
    }
}
