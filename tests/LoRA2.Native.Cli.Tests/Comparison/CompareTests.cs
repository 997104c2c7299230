using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using LoRA2.Native.Cli;
using LoRA2.Native.Cli.Tests.Comparison;

namespace LoRA2.Native.Cli.Tests.Comparison;

public sealed class CompareTests : IDisposable
{
    private readonly TinyComparison tiny = new();

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void MethodsAreComparedAndFinishedRunsAreNotMadeAgain()
    {
        CommandResult first = Lora2.Run(tiny.Arguments("--parallel", "2", "--json")).Done();
        Assert.Contains("[8/8]", first.Error, StringComparison.Ordinal);
        Assert.Equal(["LoRA2 k=1", "LoRA r=1"], first.Json.GetProperty("methods").EnumerateArray().Select(method => method.GetProperty("name").GetString()));
        Assert.Equal(2, first.Json.GetProperty("methods")[0].GetProperty("tasks").GetProperty("RTE").GetProperty("n").GetInt32());
        Assert.Equal(9, tiny.Read("compare.csv").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("SST-2 (accuracy)", tiny.Read("compare.md"), StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme", tiny.Read("compare.html"), StringComparison.Ordinal);

        string cell = tiny.Cell("LoRA-r=1", "RTE", 2);
        DateTime written = File.GetLastWriteTimeUtc(cell);
        string table = tiny.Read("compare.md");
        Assert.Contains("8 of them finished already", Lora2.Run(tiny.Arguments()).Done().Output, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(cell));
        Assert.Equal(table, tiny.Read("compare.md"));

        // Another option for one method on one task: those runs are made anew, the others are not. Threads change no result.
        tiny.Plan["methods"]![0]!["task-options"] = new JsonObject { ["RTE"] = new JsonObject { ["rank"] = 3, ["threads"] = 2 } };
        tiny.Plan["methods"]![1]!["task-options"] = new JsonObject { ["RTE"] = new JsonObject { ["threads"] = 2 } };
        CommandResult changed = Lora2.Run(tiny.Arguments()).Done();
        Assert.Contains("LoRA2 k=1 · RTE · seed 1: its options, or the model or the data, changed since it ran; it is run anew", changed.Output, StringComparison.Ordinal);
        Assert.Contains("6 of them finished already", changed.Output, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(cell));
        Assert.Contains("\"rank\": 3", File.ReadAllText(tiny.Cell("LoRA2-k=1", "RTE", 2)), StringComparison.Ordinal);
    }

    [Fact]
    public void ARunThatFailsIsShownAndTheOthersGoOn()
    {
        tiny.Plan["tasks"] = new JsonArray("SST-2");
        tiny.Plan["seeds"] = new JsonArray(1);
        tiny.Plan["methods"]!.AsArray().Insert(0, new JsonObject { ["name"] = "broken", ["options"] = new JsonObject { ["targets"] = "nothing" } });
        CommandResult result = Lora2.Run(tiny.Arguments());
        Assert.Equal(1, result.Code);
        Assert.Contains("broken · SST-2 · seed 1: failed: ", result.Output, StringComparison.Ordinal);
        Assert.Contains("nothing", tiny.Read("compare.md")[tiny.Read("compare.md").IndexOf("## Failed", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.True(File.Exists(tiny.Cell("LoRA-r=1", "SST-2", 1)));
        Assert.Contains("(n=1)", tiny.Read("compare.md"), StringComparison.Ordinal);

        // It is tried again, the others are not.
        tiny.Plan["methods"]![0]!["options"] = new JsonObject { ["targets"] = "query" };
        Assert.Contains("2 of them finished already", Lora2.Run(tiny.Arguments()).Done().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void ACancelledComparisonGoesOnWhereItWas()
    {
        using var cancelled = new CancellationTokenSource();
        using var output = new CancelAt("[1/8]", cancelled);
        using var error = new StringWriter();
        Assert.Equal(130, LoRA2Command.Run(tiny.Arguments(), new StandardStreams(Stream.Null, output, error) { Cancellation = cancelled.Token }));
        Assert.Contains("interrupted with 1 of 8 runs finished", error.ToString(), StringComparison.Ordinal);
        string cell = tiny.Cell("LoRA2-k=1", "SST-2", 1);
        (DateTime written, byte[] record) = (File.GetLastWriteTimeUtc(cell), File.ReadAllBytes(cell));
        Assert.Contains("1 of 8 runs are finished", tiny.Read("compare.md"), StringComparison.Ordinal);
        Lora2.Run(tiny.Arguments()).Done();
        Assert.Equal(written, File.GetLastWriteTimeUtc(cell));
        Assert.Equal(record, File.ReadAllBytes(cell));
        Assert.Contains("8 of 8 runs are finished", tiny.Read("compare.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void AKilledComparisonTakesItsRunsWithItAndGoesOnToTheSameBits()
    {
        tiny.Plan["tasks"] = new JsonArray("SST-2");
        tiny.Plan["seeds"] = new JsonArray(1);
        tiny.Plan["options"]!["epochs"] = 100;
        string second = tiny.Cell("LoRA-r=1", "SST-2", 1), log = tiny.Cell("LoRA-r=1", "SST-2", 1, "log.txt");
        using (Process process = Lora2.Start(tiny.Folder, tiny.Arguments()))
        {
            while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("[1/2]", StringComparison.Ordinal))
            {
            }

            // The second run is in the middle.
            var patience = Stopwatch.StartNew();
            while (!(File.Exists(log) && File.ReadAllText(log).Contains("step 20/400", StringComparison.Ordinal)) && patience.Elapsed < TimeSpan.FromMinutes(1)) Thread.Sleep(5);
            process.Kill();
            process.WaitForExit();
        }

        Assert.False(File.Exists(second));
        string first = tiny.Cell("LoRA2-k=1", "SST-2", 1);
        DateTime written = File.GetLastWriteTimeUtc(first);
        CommandResult result = Lora2.Run(tiny.Arguments()).Done();
        Assert.Contains("2 runs, 1 of them finished already", result.Output, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(first));
        Assert.Contains("resumed after step", File.ReadAllText(log), StringComparison.Ordinal);
        Assert.Contains("\"resumed_after_step\"", File.ReadAllText(second), StringComparison.Ordinal);
        string whole = Path.Combine(tiny.Folder, "whole");
        Lora2.Run("finetune", "--model", Path.Combine(tiny.Folder, "model"), "--task", "SST-2", "--data", Path.Combine(tiny.Folder, "glue"), "--output", whole, "--seed", "1", "--epochs", "100", "--batch-size", "4", "--method", "lora", "--rank", "1").Done();
        Assert.Equal(TinyModel.Weights(whole), TinyModel.Weights(Path.GetDirectoryName(second)!));
    }

    [Fact]
    public void TwoComparisonsInOneFolderAreRefused()
    {
        Directory.CreateDirectory(tiny.Output);
        using (new FileStream(tiny.File(".lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Assert.Contains("another process writes to this folder", Lora2.Run(tiny.Arguments()).Refused(), StringComparison.Ordinal);
    }

    /// <summary>Cancels when a text is written.</summary>
    private sealed class CancelAt(string text, CancellationTokenSource source) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            if (Encoding.UTF8.GetString(GetBuffer(), 0, (int)Length).Contains(text, StringComparison.Ordinal)) source.Cancel();
        }
    }
}
