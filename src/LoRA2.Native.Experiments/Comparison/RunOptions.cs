using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>Reads the options of runs, as those who make the runs take them; those that the comparison itself decides are refused.</summary>
/// <param name="runner">Who makes the runs.</param>
public sealed class RunOptions(ICellRunner runner)
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

    private readonly ICellRunner runner = runner ?? throw new ArgumentNullException(nameof(runner));

    /// <summary>Whether a result may depend on an option.</summary>
    internal static bool HasEffect(RunOption option) => !WithoutEffect.Contains(option.Name);

    /// <summary>Reads an object of options; null takes one back that a more general place gave.</summary>
    /// <exception cref="InputException">A name or a value is wrong.</exception>
    internal IReadOnlyList<RunOption> Read(JsonPlace place)
    {
        var read = new List<RunOption>();
        foreach ((string name, JsonPlace value) in place.Properties())
        {
            if (Decided.TryGetValue(name, out string? why)) throw value.Error($"this option of finetune can't be given here: {why}");
            if (runner.KindOf(name) is not { } kind) throw value.Error(Unknown(name));
            var asked = new RunOption(name, TextOf(kind, value));
            try
            {
                if (asked.Value is not null) runner.Check(asked);
            }
            catch (InputException e)
            {
                throw value.Error(e.Message, e);
            }

            read.Add(asked);
        }

        return read;
    }

    /// <summary>Reads one option as in <c>learning-rate=1e-3</c>; a flag stands alone.</summary>
    /// <exception cref="InputException">The name or the value is wrong.</exception>
    public RunOption Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string name = text.Split('=')[0];
        if (Decided.TryGetValue(name, out string? why)) throw new InputException($"'{text}': this option of finetune can't be given here: {why}");
        if (runner.KindOf(name) is not { } kind) throw new InputException($"'{text}': {Unknown(name)}");
        bool isFlag = kind == RunOptionKind.Flag;
        if (isFlag != (name.Length == text.Length)) throw new InputException($"'{text}': {(isFlag ? $"{name} alone" : $"{name}=VALUE")} was expected");
        string given = isFlag ? "true" : text[(name.Length + 1)..];
        // A folder may well be called 007.
        var asked = new RunOption(name, kind == RunOptionKind.Path ? given : Number(given));
        runner.Check(asked);
        return asked;
    }

    private static string Unknown(string name) => $"'{name}' is no option of lora2 finetune; lora2 finetune --help lists them, and they stand here without dashes";

    /// <summary>A number in the one form that its value has, so that 1e-3 and 0.001 ask for the same run; other text as it is.</summary>
    private static string Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && Math.Abs(value) < 1L << 53
            ? value.ToString("R", CultureInfo.InvariantCulture)
            : text;

    private static string? TextOf(RunOptionKind kind, JsonPlace place)
    {
        JsonElement value = place.Value;
        return (kind, value.ValueKind) switch
        {
            (_, JsonValueKind.Null) => null,
            (RunOptionKind.Flag, JsonValueKind.True) => "true",
            (RunOptionKind.Flag, JsonValueKind.False) => "false",
            (RunOptionKind.Flag, _) => throw place.Unexpected("true or false"),
            (RunOptionKind.List, JsonValueKind.Array) => string.Join(',', place.Items().Select(item => item.Text())),
            (RunOptionKind.List, _) => place.Text(),
            (RunOptionKind.Text or RunOptionKind.Path, JsonValueKind.Number) => Number(value.GetRawText()),
            (RunOptionKind.Path, JsonValueKind.String) => place.FullPath(),
            (RunOptionKind.Text, JsonValueKind.String) => place.Text(),
            (RunOptionKind.Text or RunOptionKind.Path, _) => throw place.Unexpected("a string or a number"),
            (_, JsonValueKind.Number) => Number(value.GetRawText()),
            _ => throw place.Unexpected("a number"),
        };
    }
}
