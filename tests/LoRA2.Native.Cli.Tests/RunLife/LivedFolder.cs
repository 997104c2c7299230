using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.RunLife;

/// <summary>How a run is asked for.</summary>
internal enum Start
{
    /// <summary>With neither option.</summary>
    Fresh,

    /// <summary>With <c>--resume</c>.</summary>
    Resume,

    /// <summary>With <c>--overwrite</c>.</summary>
    Overwrite,
}

/// <summary>
/// An output folder, and what is known of it: which of three runs (the usual one, one with another option, one with other data) left the adapter there, and which the
/// checkpoint.
/// </summary>
internal sealed class LivedFolder : IDisposable
{
    public const int Variants = 3;

    private const string Text = "a very good film";
    private static readonly string Model = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop", "base");
    private static readonly string[] AdapterFiles = ["adapter_config.json", "adapter_model.safetensors", "task.json"];
    private static readonly Lazy<(Expectation[] Runs, int Operations)> Expected = new(Expect);

    private readonly TemporaryFolder folder = new();

    public string Output => folder.File("out");

    /// <summary>The run whose checkpoint is there; whether it was damaged since.</summary>
    public (int Variant, bool IsDamaged)? Checkpoint { get; private set; }

    /// <summary>The run whose adapter is there, whole; null for none, or a damaged one.</summary>
    public int? Adapter
    {
        get
        {
            if (!AdapterFiles.All(name => File.Exists(Path.Combine(Output, name)))) return null;
            int found = Array.FindIndex(Expected.Value.Runs, run => AdapterFiles.All(name => run.Files[name].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Output, name)))));
            return found < 0 ? null : found;
        }
    }

    public bool IsAdapterDamaged { get; private set; }

    /// <summary>The run whose files were about to take their places when it was killed.</summary>
    public int? CutOff { get; private set; }

    /// <summary>Operations on the disk that the last run came to.</summary>
    public int Operations { get; private set; }

    /// <summary>Everything that is there, but for the file that only holds the folder.</summary>
    public Dictionary<string, byte[]> Files => !Directory.Exists(Output) ? [] : Directory.GetFiles(Output, "*", SearchOption.AllDirectories)
        .Where(file => Path.GetFileName(file) != ".lock").ToDictionary(file => Path.GetRelativePath(Output, file), File.ReadAllBytes);

    /// <summary>Asks for a run, which the process may not survive.</summary>
    /// <param name="start">How.</param>
    /// <param name="variant">Which.</param>
    /// <param name="kill">Where in the run's operations on the disk the process ends, 0 to 1; null for nowhere.</param>
    public CommandResult Finetune(Start start, int variant, double? kill)
    {
        byte[]? before = CheckpointBytes();
        var disk = new FaultyDisk(kill is { } share ? (int)(share * Expected.Value.Operations) : -1, Fault.Killed);
        CommandResult result;
        using (Disk.Replace(disk)) result = Lora2.Run(Arguments(folder, Output, start, variant));
        byte[]? after = CheckpointBytes();
        if (after is null) Checkpoint = null;
        else if (before is null || !before.AsSpan().SequenceEqual(after)) Checkpoint = (variant, false);
        if (Adapter is not null) IsAdapterDamaged = false;
        Operations = disk.Count;
        if (!Files.Keys.Any(name => name.EndsWith(".set", StringComparison.Ordinal))) CutOff = null;
        else CutOff ??= variant;
        return result;
    }

    /// <summary>The answer of the adapter there to one text.</summary>
    public CommandResult Predict() => Lora2.RunWith(Text + "\n", "predict", "--model", Model, "--adapter", Output);

    /// <summary>The answer of a run's adapter.</summary>
    public static string AnswerOf(int variant) => Expected.Value.Runs[variant].Answer;

    /// <summary>Cuts the adapter short, or turns a bit of a checkpoint that is whole; false where there is none.</summary>
    public bool Damage(bool checkpoint)
    {
        string path = Path.Combine(Output, checkpoint ? "checkpoint.safetensors" : "adapter_model.safetensors");
        // A bit turned twice is as it was.
        if (!File.Exists(path) || (checkpoint && Checkpoint!.Value.IsDamaged)) return false;
        byte[] bytes = File.ReadAllBytes(path);
        // Of a checkpoint one bit is enough.
        if (checkpoint) bytes[bytes.Length / 2] ^= 4;
        else bytes = bytes[..(bytes.Length / 2)];
        File.WriteAllBytes(path, bytes);
        if (checkpoint) Checkpoint = (Checkpoint!.Value.Variant, true);
        else IsAdapterDamaged = true;
        return true;
    }

    public void Dispose() => folder.Dispose();

    private byte[]? CheckpointBytes() => new RunFolder(Output) is { HasCheckpoint: true } run ? File.ReadAllBytes(run.Checkpoint) : null;

    private static string[] Arguments(TemporaryFolder folder, string output, Start start, int variant)
    {
        string[] rows = ["a very good film\tgood", "a dull film\tbad", "great plot\tgood", "not fine\tbad", variant == 2 ? "dull end\tbad" : "fine end\tgood"];
        string data = folder.Write("train.tsv", "text\tlabel\n" + string.Join('\n', rows) + "\n");
        string[] more = start switch { Start.Resume => ["--resume"], Start.Overwrite => ["--overwrite"], _ => [] };
        return
        [
            "finetune", "--model", Model, "--train", data, "--dev", data, "--output", output, "--method", "lora2", "--rank", "4", "--outer-rank", "2", "--target-rank", "3",
            "--batch-size", "2", "--epochs", "3", "--checkpoint-every", "2", "--learning-rate", variant == 1 ? "0.02" : "0.01", .. more,
        ];
    }

    private static (Expectation[] Runs, int Operations) Expect()
    {
        var runs = new Expectation[Variants];
        int operations = 0;
        for (int variant = 0; variant < Variants; variant++)
        {
            using var folder = new TemporaryFolder();
            string output = folder.File("out");
            var counted = new FaultyDisk(-1, Fault.Killed);
            using (Disk.Replace(counted)) Lora2.Run(Arguments(folder, output, Start.Fresh, variant)).Done();
            operations = counted.Count;
            string answer = Lora2.RunWith(Text + "\n", "predict", "--model", Model, "--adapter", output).Done().Output;
            runs[variant] = new Expectation(AdapterFiles.ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(output, name))), answer);
        }

        return (runs, operations);
    }

    private sealed record Expectation(Dictionary<string, byte[]> Files, string Answer);
}
