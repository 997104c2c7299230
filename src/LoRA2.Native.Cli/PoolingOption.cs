using System.CommandLine;
using System.CommandLine.Parsing;
using LoRA2.Native.Embeddings;

namespace LoRA2.Native.Cli;

/// <summary>The option <c>--pooling</c>.</summary>
internal static class PoolingOption
{
    public static Option<string?> Create(string description)
    {
        var option = new Option<string?>("--pooling") { Description = description, HelpName = string.Join('|', PoolingNames.All) };
        option.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens)
            {
                if (!PoolingNames.All.Contains(token.Value)) result.AddError($"option --pooling is '{token.Value}'; {string.Join(", ", PoolingNames.All)} can be");
            }
        });
        return option;
    }
}
