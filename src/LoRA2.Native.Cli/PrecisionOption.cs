using System.CommandLine;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cli;

/// <summary>The option <c>--precision</c>.</summary>
internal static class PrecisionOption
{
    private static readonly (string Name, Precision Value)[] Names =
        [("float32", Precision.Float32), ("bfloat16", Precision.BFloat16), ("bfloat16x3", Precision.BFloat16x3), ("bfloat16x6", Precision.BFloat16x6), ("int8", Precision.Int8)];

    /// <param name="trains">Whether the command trains, which int8 cannot: it is refused by name.</param>
    /// <param name="usual">What the help says of the precision when none is given.</param>
    public static Option<string?> Create(bool trains = false, string usual = "float32")
    {
        (string Name, Precision Value)[] names = trains ? [.. Names.Where(name => name.Value != Precision.Int8)] : Names;
        var option = new Option<string?>("--precision")
        {
            Description = "of the encoder's matrix products; bfloat16x3 is about float32's quality and faster on a processor with AMX" + (trains ? "" : "; int8 is faster everywhere and off by a little") + $" [{usual}]",
            HelpName = string.Join('|', names.Select(name => name.Name)),
        };
        option.Validators.Add(result =>
        {
            foreach (System.CommandLine.Parsing.Token token in result.Tokens)
            {
                if (names.Any(name => name.Name == token.Value)) continue;
                string can = $"{string.Join(", ", names.Select(name => name.Name))} can be";
                result.AddError(token.Value == "int8" ? $"option --precision is 'int8', which is for answering, not for training; {can}" : $"option --precision is '{token.Value}'; {can}");
            }
        });
        return option;
    }

    /// <summary>What a checked name means; Float32 for none.</summary>
    public static Precision Parse(string? name) => name is null ? Precision.Float32 : Names.First(known => known.Name == name).Value;
}
