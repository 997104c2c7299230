using System.CommandLine;

namespace LoRA2.Native.Cli;

/// <summary>The option <c>--max-length</c> of commands that answer with a model.</summary>
internal static class MaxLengthOption
{
    public static Option<int?> Create() =>
        NumberOption.Int("--max-length", "tokens after which an input is cut, special ones included [what the model was fine-tuned with, else as many as it takes]", 4);
}
