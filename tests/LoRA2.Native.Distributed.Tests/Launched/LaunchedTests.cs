using System.Diagnostics;
using System.Globalization;
using LoRA2.Native.Cli;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Distributed.Tests.Launched;

/// <summary><c>mpirun -n N lora2 …</c> as a user starts it.</summary>
public sealed class LaunchedTests : IDisposable
{
    private static readonly string[] Pruned = ["--method", "lora2", "--rank", "4", "--outer-rank", "2", "--target-rank", "3"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [MpiTheory]
    [InlineData("2,3", "--method lora2 --rank 4 --outer-rank 2 --target-rank 3")]
    [InlineData("2", "--method adalora --rank 4 --target-rank 2")]
    [InlineData("3", "--method full")]
    public void ProcessesEndInTheBitsOfOne(string numbers, string method)
    {
        string[] options = method.Split(' ');
        string file = method.EndsWith("full", StringComparison.Ordinal) ? "model.safetensors" : "adapter_model.safetensors";
        byte[] one = Alone(file, options);
        foreach (string number in numbers.Split(','))
        {
            foreach (string launcher in Mpirun.Launchers)
            {
                string output = folder.File($"{number}-{Path.GetFileName(launcher)}");
                LaunchedResult run = Mpirun.Run(launcher, int.Parse(number, CultureInfo.InvariantCulture), [], Mpirun.Finetune(folder, output, options)).Done();
                Assert.Equal(one, File.ReadAllBytes(Path.Combine(output, file)));
                // One process speaks.
                Assert.Single(run.Output.Split('\n'), line => line.StartsWith("saved ", StringComparison.Ordinal));
                Assert.Contains($"processes    {number} by ", run.Output, StringComparison.Ordinal);
            }
        }
    }

    [MpiFact]
    public void AProcessThatIsKilledEndsAllWithOneSentenceAndTheRunGoesOnWithAnotherNumber()
    {
        byte[] one = Alone("adapter_model.safetensors", [.. Pruned, "--epochs", "40"]);
        string output = folder.File("killed");
        string[] command = Mpirun.Finetune(folder, output, [.. Pruned, "--epochs", "40"]);
        using (Process launcher = Mpirun.Start(3, command))
        {
            Task<string> said = launcher.StandardError.ReadToEndAsync(), shown = launcher.StandardOutput.ReadToEndAsync();
            var limit = Stopwatch.StartNew();
            while (!File.Exists(Path.Combine(output, "checkpoint.safetensors")) && limit.Elapsed < TimeSpan.FromMinutes(2) && !launcher.HasExited) Thread.Sleep(20);
            Process.GetProcessById(Ranks(output)[1]).Kill();
            Assert.True(launcher.WaitForExit(TimeSpan.FromMinutes(1)), "the others did not end");
            Assert.NotEqual(0, launcher.ExitCode);
            string sentence = Assert.Single(said.Result.Split('\n'), line => line.StartsWith("lora2: ", StringComparison.Ordinal));
            Assert.Contains("process 1 of 3 on ", sentence, StringComparison.Ordinal);
            Assert.Contains("--resume", sentence, StringComparison.Ordinal);
            Assert.DoesNotContain("saved ", shown.Result, StringComparison.Ordinal);
        }

        LaunchedResult resumed = Mpirun.Run(2, [.. command, "--resume"]).Done();
        Assert.Contains("resumed after step", resumed.Output, StringComparison.Ordinal);
        Assert.Equal(one, File.ReadAllBytes(Path.Combine(output, "adapter_model.safetensors")));
    }

    [MpiFact]
    public void AnMpiThatIsNotThereOrNotTheLaunchersIsOneSentenceAndExitCode2()
    {
        string[] command = Mpirun.Finetune(folder, folder.File("none"), Pruned);
        LaunchedResult none = Mpirun.Run(Mpirun.Launchers[0], 2, [("LORA2_MPI", "/no/such/libmpi.so")], command);
        Assert.Equal(2, none.Code);
        Assert.Equal("lora2: LORA2_MPI is '/no/such/libmpi.so', which can't be loaded; the file of an MPI library was expected", none.Sentence);
        LaunchedResult other = Mpirun.Run(Mpirun.Launchers[0], 2, [("LORA2_MPI", "libc.so.6")], command);
        Assert.Equal(2, other.Code);
        Assert.Contains("no MPI", other.Sentence, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("none")));
    }

    [MpiFact]
    public void WhatIsWrongIsSaidOnce()
    {
        LaunchedResult missing = Mpirun.Run(2, Mpirun.Finetune(folder, folder.File("wrong"), "--from", folder.File("no adapter")));
        Assert.Equal(2, missing.Code);
        Assert.DoesNotContain("process ", missing.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", missing.Error, StringComparison.Ordinal);
        LaunchedResult shown = Mpirun.Run(2, [.. Mpirun.Finetune(folder, folder.File("wrong"), "--from", folder.File("no adapter")), "--debug"]);
        Assert.Equal(missing.Sentence, shown.Sentence);
        Assert.Contains("   at LoRA2.", shown.Error, StringComparison.Ordinal);
        LaunchedResult inspect = Mpirun.Run(2, "inspect", Mpirun.Model);
        Assert.Equal(2, inspect.Code);
        Assert.Contains("which is for one", inspect.Sentence, StringComparison.Ordinal);
        LaunchedResult unknown = Mpirun.Run(2, "finetune", "--no-such-option");
        Assert.Equal(2, unknown.Code);
        Assert.NotEmpty(unknown.Sentence);
    }

    [MpiFact]
    public void WhatIsWrongInOneProcessAloneIsSaidByTheFirstWhichNamesIt()
    {
        string[] right = Mpirun.Finetune(folder, folder.File("wrong")), wrong = [.. right, "--from", folder.File("no adapter"), "--debug"];
        LaunchedResult one = Mpirun.Run(1, [.. right, .. Mpirun.Beside(1, wrong)]);
        Assert.Equal(2, one.Code);
        Assert.StartsWith("lora2: process 1 of 2 on ", one.Sentence, StringComparison.Ordinal);
        Assert.Contains("no adapter", one.Sentence, StringComparison.Ordinal);
        Assert.Contains("   at LoRA2.", one.Error, StringComparison.Ordinal);
    }

    /// <summary>Process 0 would have said what is wrong everywhere.</summary>
    [Fact]
    public void WhatFailsInAnotherProcessAloneIsSaidThere()
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        int code = LoRA2Command.Run(["inspect", Mpirun.Model], new StandardStreams(new MemoryStream(), output, error) { Launch = new Launch("Open MPI", 1, 2) });
        Assert.Equal(2, code);
        Assert.StartsWith("lora2: Open MPI started 2 processes of 'lora2 inspect'", error.ToString(), StringComparison.Ordinal);
    }

    [MpiFact]
    public void PredictionsAndVectorsAreThoseOfOneProcessInTheInputsOrder()
    {
        string adapter = folder.File("adapter");
        Run(Mpirun.Finetune(folder, adapter, [.. Pruned, "--max-steps", "5"]));
        string[] words = ["parcel", "refund", "never", "thanks", "arrived", "the", "of"];
        var random = new Random(3);
        File.WriteAllLines(folder.File("texts.txt"), Enumerable.Range(0, 5000).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(1, 9)).Select(_ => words[random.Next(words.Length)]))));
        string[] predict = ["predict", "--model", Mpirun.Model, "--adapter", adapter, "--file", folder.File("texts.txt"), "--output"];
        Run([.. predict, folder.File("one.jsonl")]);
        byte[] one = File.ReadAllBytes(folder.File("one.jsonl"));
        Mpirun.Run(3, [.. predict, folder.File("three.jsonl")]).Done();
        Assert.Equal(one, File.ReadAllBytes(folder.File("three.jsonl")));
        Assert.False(Directory.Exists(folder.File("three.jsonl.shards")));

        string[] embed = ["embed", "--model", Mpirun.Model, "--file", folder.File("texts.txt"), "--output"];
        Run([.. embed, folder.File("one.npy")]);
        Mpirun.Run(2, [.. embed, folder.File("two.npy")]).Done();
        Assert.Equal(File.ReadAllBytes(folder.File("one.npy")), File.ReadAllBytes(folder.File("two.npy")));
    }

    [MpiFact]
    public void ShardsThatAreDoneAreNotMadeAgain()
    {
        string adapter = folder.File("adapter");
        Run(Mpirun.Finetune(folder, adapter, [.. Pruned, "--max-steps", "5"]));
        File.WriteAllLines(folder.File("texts.jsonl"), [.. Enumerable.Repeat("\"thanks\"", 2048), .. Enumerable.Repeat("\"parcel\"", 2048), "no JSON"]);
        string[] predict = ["predict", "--model", Mpirun.Model, "--adapter", adapter, "--json-lines", "--file", folder.File("texts.jsonl"), "--output", folder.File("answers.jsonl")];
        LaunchedResult wrong = Mpirun.Run(2, predict);
        Assert.Equal(2, wrong.Code);
        Assert.Contains("texts.jsonl, line 4097", wrong.Sentence, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("answers.jsonl")));
        string shards = folder.File("answers.jsonl.shards");
        Assert.Equal(2, Directory.GetFiles(shards, "*.answers").Length);
        // A mark in a shard shows whether it was taken as it is; another input makes all anew.
        string first = Path.Combine(shards, "00000000.answers");
        byte[] marked = File.ReadAllBytes(first);
        marked[5] = (byte)'X';
        File.WriteAllBytes(first, marked);
        Assert.Equal(2, Mpirun.Run(3, predict).Code);
        Assert.Equal(marked, File.ReadAllBytes(first));
        File.WriteAllLines(folder.File("texts.jsonl"), Enumerable.Repeat("\"thanks\"", 100));
        Mpirun.Run(2, predict).Done();
        Assert.Equal(100, File.ReadLines(folder.File("answers.jsonl")).Count());
    }

    /// <summary>A run of one process in this one, with as many parts of a batch.</summary>
    private byte[] Alone(string file, string[] options)
    {
        string output = folder.File("one");
        Run(Mpirun.Finetune(folder, output, [.. options, "--accumulation", "8"]));
        return File.ReadAllBytes(Path.Combine(output, file));
    }

    private static void Run(string[] args)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        int code = LoRA2Command.Run(args, new StandardStreams(new MemoryStream(), output, error));
        Assert.True(code == 0, error.ToString());
    }

    /// <summary>The processes that write to a folder, by their number among them.</summary>
    private static Dictionary<int, int> Ranks(string output)
    {
        var ranks = new Dictionary<int, int>();
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                if (!File.ReadAllText(Path.Combine(process, "cmdline")).Contains($"--output\0{output}\0", StringComparison.Ordinal)) continue;
                string? rank = File.ReadAllText(Path.Combine(process, "environ")).Split('\0').Select(variable => variable.Split('=', 2)).FirstOrDefault(pair => pair[0] is "OMPI_COMM_WORLD_RANK" or "PMI_RANK")?[1];
                if (rank is not null) ranks[int.Parse(rank, CultureInfo.InvariantCulture)] = int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended.
            }
        }

        return ranks;
    }
}
