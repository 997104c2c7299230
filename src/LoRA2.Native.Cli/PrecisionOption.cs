using System.CommandLine;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cli;

/// <summary>The option <c>--precision</c>.</summary>
internal static class PrecisionOption
{
    private static readonly (string Name, Precision Value)[] Names =
        [("float32", Precision.Float32), ("bfloat16", Precision.BFloat16), ("bfloat16x3", Precision.BFloat16x3), ("bfloat16x6", Precision.BFloat16x6)];

    public static Option<string?> Create()
    {
        var option = new Option<string?>("--precision")
        {
            Description = "of the encoder's matrix products; bfloat16x3 is about float32's quality and faster on a processor with AMX [float32]",
            HelpName = string.Join('|', Names.Select(name => name.Name)),
        };
        option.Validators.Add(result =>
        {
            foreach (System.CommandLine.Parsing.Token token in result.Tokens)
            {
                if (!Names.Any(name => name.Name == token.Value)) result.AddError($"option --precision is '{token.Value}'; {string.Join(", ", Names.Select(name => name.Name))} can be");
            }
        });
        return option;
    }

    /// <summary>What a checked name means; Float32 for none.</summary>
    public static Precision Parse(string? name) => name is null ? Precision.Float32 : Names.First(known => known.Name == name).Value;
}
