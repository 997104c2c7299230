using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Cli.Commands;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>The options of <c>lora2 finetune</c> as a comparison gives them, checked by that command itself.</summary>
internal sealed class RunOptions
{
    /// <summary>What the comparison decides, and where.</summary>
    private static readonly Dictionary<string, string> Decided = new(StringComparer.Ordinal)
    {
        ["model"] = "it is a field of the whole file",
        ["data"] = "it is a field of the whole file",
        ["task"] = "the field 'tasks' of the whole file has the tasks",
        ["seed"] = "the field 'seeds' of the whole file has the seeds",
        ["output"] = "each run has a folder of its own",
        ["resume"] = "each run is resumed where there is something to resume",
        ["overwrite"] = "a run whose options changed is run anew",
        ["json"] = "the results are in compare.csv",
        ["train"] = "GLUE tasks are compared",
        ["dev"] = "GLUE tasks are compared",
        ["regression"] = "GLUE tasks are compared",
        ["text-column"] = "GLUE tasks are compared",
        ["pair-column"] = "GLUE tasks are compared",
        ["label-column"] = "GLUE tasks are compared",
        ["stop-with-input"] = "each run ends with the comparison",
    };

    /// <summary>Options on which no result depends.</summary>
    private static readonly string[] WithoutEffect = ["threads", "log-every", "checkpoint-every", "detect-anomaly"];

    private readonly FinetuneOptions options = new();
    private readonly Command command = new("finetune");
    private readonly Dictionary<string, Option> known;

    public RunOptions()
    {
        foreach (Option option in options.All) command.Options.Add(option);
        known = options.All.ToDictionary(option => option.Name[2..], StringComparer.Ordinal);
    }

    /// <summary>Whether a result may depend on an option.</summary>
    public static bool HasEffect(RunOption option) => !WithoutEffect.Contains(option.Name);

    /// <summary>Reads an object of options; null takes one back that a more general place gave.</summary>
    /// <exception cref="InputException">A name or a value is wrong.</exception>
    public IReadOnlyList<RunOption> Read(JsonPlace place)
    {
        var read = new List<RunOption>();
        foreach ((string name, JsonPlace value) in place.Properties())
        {
            if (Decided.TryGetValue(name, out string? why)) throw value.Error($"this option of finetune can't be given here: {why}");
            if (!known.TryGetValue(name, out Option? option)) throw value.Error($"'{name}' is no option of lora2 finetune; lora2 finetune --help lists them, and they stand here without dashes");
            var asked = new RunOption(name, TextOf(name, option, value));
            ParseResult parsed = command.Parse(Arguments([asked]));
            if (parsed.Errors.Count > 0) throw value.Error(parsed.Errors[0].Message);
            read.Add(asked);
        }

        return read;
    }

    /// <summary>Reads one option as in <c>learning-rate=1e-3</c>; a flag stands alone.</summary>
    /// <exception cref="InputException">The name or the value is wrong.</exception>
    public RunOption Parse(string text)
    {
        string name = text.Split('=')[0];
        if (Decided.TryGetValue(name, out string? why)) throw new InputException($"'{text}': this option of finetune can't be given here: {why}");
        if (!known.TryGetValue(name, out Option? option)) throw new InputException($"'{text}': '{name}' is no option of lora2 finetune; lora2 finetune --help lists them, and they stand here without dashes");
        if (option is Option<bool> != (name.Length == text.Length)) throw new InputException($"'{text}': {(option is Option<bool> ? $"{name} alone" : $"{name}=VALUE")} was expected");
        string given = option is Option<bool> ? "true" : text[(name.Length + 1)..];
        // A folder may well be called 007.
        var asked = new RunOption(name, name == "from" ? given : Number(given));
        ParseResult parsed = command.Parse(Arguments([asked]));
        return parsed.Errors.Count > 0 ? throw new InputException(parsed.Errors[0].Message) : asked;
    }

    /// <summary>As arguments of <c>lora2 finetune</c>.</summary>
    public IReadOnlyList<string> Arguments(IEnumerable<RunOption> asked) =>
    [
        .. asked.Where(option => option.Value is not null && !(IsFlag(option) && option.Value == "false")).Select(option => IsFlag(option) ? $"--{option.Name}" : $"--{option.Name}={option.Value}"),
    ];

    /// <summary>What <c>lora2 finetune</c> would do with these arguments.</summary>
    /// <exception cref="InputException">Options contradict each other, or one is not for the method.</exception>
    public FinetuneRequest Request(IReadOnlyList<string> arguments)
    {
        ParseResult parsed = command.Parse(arguments);
        return parsed.Errors.Count > 0 ? throw new InputException(parsed.Errors[^1].Message) : FinetuneCommand.Request(parsed, options).Request;
    }

    /// <summary>A number in the one form that its value has, so that 1e-3 and 0.001 ask for the same run; other text as it is.</summary>
    private static string Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && Math.Abs(value) < 1L << 53
            ? value.ToString("R", CultureInfo.InvariantCulture)
            : text;

    private bool IsFlag(RunOption option) => known[option.Name] is Option<bool>;

    private static string? TextOf(string name, Option option, JsonPlace place)
    {
        JsonElement value = place.Value;
        return (option, value.ValueKind) switch
        {
            (_, JsonValueKind.Null) => null,
            (Option<bool>, JsonValueKind.True) => "true",
            (Option<bool>, JsonValueKind.False) => "false",
            (Option<bool>, _) => throw place.Unexpected("true or false"),
            (Option<string[]>, JsonValueKind.Array) => string.Join(',', place.Items().Select(item => item.Text())),
            (Option<string[]>, _) => place.Text(),
            (Option<string?>, JsonValueKind.Number) => Number(value.GetRawText()),
            (Option<string?>, JsonValueKind.String) => name == "from" ? place.FullPath() : place.Text(),
            (Option<string?>, _) => throw place.Unexpected("a string or a number"),
            (_, JsonValueKind.Number) => Number(value.GetRawText()),
            _ => throw place.Unexpected("a number"),
        };
    }
}
