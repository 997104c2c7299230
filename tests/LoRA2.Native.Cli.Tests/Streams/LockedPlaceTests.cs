using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Streams;

/// <summary>Where nobody may write, the run fails (exit code 1), is one sentence, and leaves nothing: for a folder that is there, and for one that would have to be made.</summary>
public sealed class LockedPlaceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [LockedFact]
    public void AFolderThatMayNotBeWrittenToIsTheRunsFailure()
    {
        string data = folder.Write("data.tsv", "text\tlabel\ngood\tpos\nbad\tneg\n"), texts = folder.Write("texts.txt", string.Concat(Enumerable.Repeat("good\n", 40))), adapter = folder.File("adapter"), model = At("13-peft-fields", "base");
        Lora2.Run("finetune", "--model", model, "--train", data, "--max-steps", "1", "--output", adapter).Done();
        string[][] commands =
        [
            ["finetune", "--model", model, "--train", data, "--max-steps", "1"],
            ["merge", "--model", model, "--adapter", adapter],
            ["export", "--model", model, "--adapter", adapter],
            ["pretrain", "--model", model, "--text", texts, "--max-steps", "1", "--method", "lora"],
        ];
        foreach (string[] command in commands)
        {
            Assert.Contains($"a file may not be made in '{LockedFactAttribute.Folder}'", Failed([.. command, "--output", LockedFactAttribute.Folder]), StringComparison.Ordinal);
            Assert.Contains("new", Failed([.. command, "--output", Path.Combine(LockedFactAttribute.Folder, "new")]), StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(Path.Combine(LockedFactAttribute.Folder, "new")));
    }

    [LockedFact]
    public void AFileThatMayNotBeMadeIsTheRunsFailure()
    {
        string texts = folder.Write("texts.txt", "good\n"), output = Path.Combine(LockedFactAttribute.Folder, "answers.jsonl");
        foreach (string[] command in (string[][])[["predict", "--model", At("13-peft-fields", "base"), "--file", texts], ["embed", "--model", At("13-peft-fields", "base"), "--file", texts]])
            Assert.Contains($"{output}: a file may not be made in '{LockedFactAttribute.Folder}'", Failed([.. command, "--output", output]), StringComparison.Ordinal);
    }

    private static string Failed(string[] args)
    {
        CommandResult result = Lora2.Run(args);
        Assert.Equal(1, result.Code);
        string line = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("lora2: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("defect", result.Error, StringComparison.Ordinal);
        return line;
    }

    private static string At(params string[] parts) => Path.Combine([SharedData.Repository, "tests", "Fixtures", "cases", .. parts]);
}
