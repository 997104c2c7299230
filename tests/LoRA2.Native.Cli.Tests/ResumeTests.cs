using System.Diagnostics;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tests.TensorBoard;

namespace LoRA2.Native.Cli.Tests;

public sealed class ResumeTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ACancelledRunResumesToTheSameBits()
    {
        Lora2.Run(TinyModel.Finetune(folder, folder.File("whole"))).Done();
        string output = folder.File("parts");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        CommandResult first = Lora2.Run([], cancelled.Token, TinyModel.Finetune(folder, output));
        Assert.Equal(130, first.Code);
        Assert.Contains("--resume", first.Error, StringComparison.Ordinal);
        Assert.Contains("--resume takes it up", Lora2.Run(TinyModel.Finetune(folder, output)).Refused(), StringComparison.Ordinal);
        Lora2.Run(TinyModel.Finetune(folder, output, "--resume")).Done();
        Assert.Equal(TinyModel.Weights(folder.File("whole")), TinyModel.Weights(output));
        Assert.False(File.Exists(Path.Combine(output, "checkpoint.safetensors")));
        Assert.Equal(Curves(folder.File("whole")), Curves(output));
    }

    [Fact]
    public void AKilledProcessResumesToTheSameBits()
    {
        // Long enough to be killed in the middle; a checkpoint at every step.
        string[] run = ["--epochs", "60", "--log-every", "1", "--checkpoint-every", "1"];
        Lora2.Run(TinyModel.Finetune(folder, folder.File("whole"), run)).Done();
        string output = folder.File("parts");
        using (Process process = Lora2.Start(folder.Path, TinyModel.Finetune(folder, output, run)))
        {
            while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("step 37/", StringComparison.Ordinal))
            {
            }

            process.Kill();
            process.WaitForExit();
            Assert.NotEqual(0, process.ExitCode);
        }

        Assert.False(File.Exists(Path.Combine(output, "training.json")));
        CommandResult resumed = Lora2.Run(TinyModel.Finetune(folder, output, [.. run, "--resume"])).Done();
        Assert.Contains("resumed after step", resumed.Output, StringComparison.Ordinal);
        Assert.Equal(TinyModel.Weights(folder.File("whole")), TinyModel.Weights(output));
        // Every step once, with the values of the run that was not killed.
        Scalar[] curves = Curves(output);
        Assert.Equal(Curves(folder.File("whole")), curves);
        Assert.Equal(Enumerable.Range(1, 300).Select(step => (long)step), curves.Where(scalar => scalar.Tag == "train/loss").Select(scalar => scalar.Step));
        Assert.Equal(60, curves.Count(scalar => scalar.Tag == "dev/accuracy"));
        Assert.Equal(36, curves.Last(scalar => scalar.Tag == "ranks/kept").Value);
        string[] pages = [.. new[] { folder.File("whole"), output }.Select(path => File.ReadAllText(Path.Combine(path, "report.html")))];
        Assert.Equal(Paths(pages[0]), Paths(pages[1]));
    }

    /// <summary>A TensorBoard that reads along has the run's values in the order of their steps, whatever is written between.</summary>
    private static Scalar[] Curves(string output) => [.. EventFileReader.ReadOnly(Path.Combine(output, "tensorboard")).OrderBy(scalar => scalar.Tag, StringComparer.Ordinal)];

    /// <summary>Everything that is drawn.</summary>
    private static string[] Paths(string page) => [.. System.Xml.Linq.XDocument.Parse(page).Descendants("path").Select(path => path.Attribute("d")!.Value)];

    [Fact]
    public void AnInterruptedProcessSavesAndExitsWith130()
    {
        if (OperatingSystem.IsWindows()) return;
        string output = folder.File("out");
        using Process process = Lora2.Start(folder.Path, TinyModel.Finetune(folder, output, "--epochs", "2000", "--log-every", "1"));
        while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("step 5/", StringComparison.Ordinal))
        {
        }

        // Not SIGINT, which shares its handler: a test host that was started in the background passes on that it is ignored.
        using (Process kill = Process.Start("kill", ["-TERM", process.Id.ToString()])) kill.WaitForExit();
        process.StandardOutput.ReadToEnd();
        Assert.Contains("interrupted after step", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
        Assert.True(File.Exists(Path.Combine(output, "checkpoint.safetensors")));
    }

    [Fact]
    public void ResumingIsPossibleBeforeTheFirstCheckpointAndAfterTheEnd()
    {
        string output = folder.File("out");
        string[] args = TinyModel.Finetune(folder, output, "--resume", "--max-steps", "10");
        Assert.Contains("starting from the beginning", Lora2.Run(args).Done().Output, StringComparison.Ordinal);
        byte[] before = TinyModel.Weights(output);
        Assert.Contains("is finished already", Lora2.Run(args).Done().Output, StringComparison.Ordinal);
        Assert.Equal(before, TinyModel.Weights(output));
        Assert.Contains("had other options", Lora2.Run([.. args, "--seed", "1"]).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void ACheckpointOfAnotherRunIsRefused()
    {
        string output = folder.File("out");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Lora2.Run([], cancelled.Token, TinyModel.Finetune(folder, output));
        string checkpoint = Path.Combine(output, "checkpoint.safetensors");
        byte[] before = File.ReadAllBytes(checkpoint);
        Assert.Contains("run with other options", Lora2.Run(TinyModel.Finetune(folder, output, "--resume", "--seed", "1")).Refused(), StringComparison.Ordinal);
        File.WriteAllBytes(checkpoint, before[..^100]);
        Assert.Contains(checkpoint, Lora2.Run(TinyModel.Finetune(folder, output, "--resume")).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFlippedBitOfACheckpointIsFound()
    {
        string output = folder.File("out");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        string[] args = TinyModel.Finetune(folder, output, "--resume");
        Lora2.Run([], cancelled.Token, TinyModel.Finetune(folder, output));
        string checkpoint = Path.Combine(output, "checkpoint.safetensors");
        byte[] before = File.ReadAllBytes(checkpoint);
        var random = new Random(5);
        for (int round = 0; round < 24; round++)
        {
            byte[] damaged = [.. before];
            damaged[round < 4 ? random.Next(4000) : random.Next(before.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(checkpoint, damaged);
            Assert.Contains(checkpoint, Lora2.Run(args).Refused(), StringComparison.Ordinal);
        }

        File.WriteAllBytes(checkpoint, before);
        Lora2.Run(args).Done();
    }

    [Fact]
    public void OtherDataOrAnotherBaseModelAreRefusedBeforeAndAfterTheEnd()
    {
        string output = folder.File("out");
        string[] args = TinyModel.Finetune(folder, output, "--max-steps", "6");
        string train = folder.File("train.tsv"), weights = Path.Combine(folder.File("model"), "model.safetensors");
        string rows = File.ReadAllText(train);
        byte[] model = File.ReadAllBytes(weights);
        byte[] other = [.. model];
        other[^10_001] ^= 0x10;
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(130, Lora2.Run([], cancelled.Token, args).Code);
        foreach (string sentence in (string[])["the checkpoint belongs to a run with other", "the run there is finished and had other"])
        {
            File.WriteAllText(train, rows.Replace("invoice", "bill", StringComparison.Ordinal));
            Assert.Contains($"{sentence} data", Lora2.Run([.. args, "--resume"]).Refused(), StringComparison.Ordinal);
            File.WriteAllText(train, rows);
            File.WriteAllBytes(weights, other);
            Assert.Contains($"{sentence} weights of the base model", Lora2.Run([.. args, "--resume"]).Refused(), StringComparison.Ordinal);
            File.WriteAllBytes(weights, model);
            Lora2.Run([.. args, "--resume"]).Done();
        }
    }

    /// <summary>No text of the data has the token, so that their own part of the fingerprint is the same; in other words the files say what they said.</summary>
    [Fact]
    public void AnotherTokenizerIsRefusedBeforeAndAfterTheEnd()
    {
        string output = folder.File("out");
        string[] args = TinyModel.Finetune(folder, output, "--max-steps", "6");
        string settings = Path.Combine(folder.File("model"), "tokenizer_config.json"), said = File.ReadAllText(settings);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(130, Lora2.Run([], cancelled.Token, args).Code);
        foreach (string sentence in (string[])["the checkpoint belongs to a run with another tokenizer", "the run there is finished and had other files of the tokenizer"])
        {
            File.WriteAllText(settings, said.Replace("\"8000\": {", "\"8050\": {\"content\": \"Zwölfkämpfer\"}, \"8000\": {", StringComparison.Ordinal));
            Assert.Contains(sentence, Lora2.Run([.. args, "--resume"]).Refused(), StringComparison.Ordinal);
            File.WriteAllText(settings, said.Replace("\n", "\n   ", StringComparison.Ordinal).Replace("\"clean_up_tokenization_spaces\": true", "\"clean_up_tokenization_spaces\": false", StringComparison.Ordinal));
            Lora2.Run([.. args, "--resume"]).Done();
        }
    }

    [Fact]
    public void AnOverwriteThatWasKilledLeavesTheEarlierResultButIsNotFinished()
    {
        string output = folder.File("out");
        Lora2.Run(TinyModel.Finetune(folder, output, "--max-steps", "6")).Done();
        byte[] before = TinyModel.Weights(output);
        using (Process process = Lora2.Start(folder.Path, TinyModel.Finetune(folder, output, "--max-steps", "6000", "--overwrite", "--log-every", "1", "--checkpoint-every", "0", "--evaluate-every", "6000")))
        {
            while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("step 3/", StringComparison.Ordinal))
            {
            }

            process.Kill();
            process.WaitForExit();
        }

        Assert.Equal(before, TinyModel.Weights(output));
        string left = Path.Combine(output, $".adapter_model.safetensors.{Guid.NewGuid():N}.tmp"), users = Path.Combine(output, ".notes.tmp");
        File.WriteAllText(left, "half");
        File.WriteAllText(users, "mine");
        CommandResult resumed = Lora2.Run(TinyModel.Finetune(folder, output, "--max-steps", "6", "--resume")).Done();
        Assert.Contains("starting from the beginning", resumed.Output, StringComparison.Ordinal);
        Assert.Equal((false, true), (File.Exists(left), File.Exists(users)));
        Assert.Contains("is finished already", Lora2.Run(TinyModel.Finetune(folder, output, "--max-steps", "6", "--resume")).Done().Output, StringComparison.Ordinal);
    }
}
