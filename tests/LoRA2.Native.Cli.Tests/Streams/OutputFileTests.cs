using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Streams;

public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string texts;
    private readonly string model;

    public OutputFileTests()
    {
        texts = folder.Write("texts.txt", "My parcel never arrived.\nWhere is my refund?\n");
        model = TinyModel.Write(folder);
    }

    public void Dispose() => folder.Dispose();

    [PipeFact]
    public async Task APipeGetsTheAnswers()
    {
        foreach (string command in (string[])["predict", "embed"])
        {
            string pipe = folder.Pipe($"{command}.jsonl");
            Task<string> reader = Task.Run(() => File.ReadAllText(pipe));
            Run(command, pipe).Done();
            Assert.Equal(2, (await reader).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            Assert.True(LoRA2.Native.Files.RegularFile.IsStream(pipe));
        }
    }

    [PipeFact]
    public void AFormatThatIsNotWrittenInOneGoNeedsAFile()
    {
        foreach (string name in (string[])["a.npy", "a.safetensors"])
            Assert.Contains($"{name}: is a named pipe, expected a file", Run("embed", folder.Pipe(name)).Refused(), StringComparison.Ordinal);
    }

    [LinkFact]
    public void ALinkStaysAndItsTargetIsWritten()
    {
        foreach (string command in (string[])["predict", "embed"])
        {
            string target = folder.File($"{command}.target"), link = folder.File($"{command}.jsonl");
            File.CreateSymbolicLink(link, target);
            Run(command, link).Done();
            Assert.Equal(target, new FileInfo(link).LinkTarget);
            Assert.Equal(2, File.ReadAllLines(target).Length);
        }
    }

    [LinkFact]
    public void TheInputIsNoOutput()
    {
        string lines = folder.Write("texts.jsonl", File.ReadAllText(texts)), link = folder.File("link.jsonl");
        File.CreateSymbolicLink(link, "texts.jsonl");
        foreach (string command in (string[])["predict", "embed"])
        {
            foreach (string output in (string[])[lines, link])
                Assert.Contains($"--output '{output}': is the file that --file reads", Lora2.Run(command, "--model", model, "--file", lines, "--output", output).Refused(), StringComparison.Ordinal);
        }

        Assert.Equal(File.ReadAllText(texts), File.ReadAllText(lines));
    }

    [Fact]
    public void AFolderIsNoOutputNorIsAFileInNone()
    {
        string there = folder.File("there.jsonl"), missing = folder.File("missing");
        Directory.CreateDirectory(there);
        foreach (string command in (string[])["predict", "embed"])
        {
            Assert.Contains($"--output '{there}': is a folder; a file was expected", Run(command, there).Refused(), StringComparison.Ordinal);
            Assert.Contains($"there is no folder '{missing}'", Run(command, Path.Combine(missing, "a.jsonl")).Refused(), StringComparison.Ordinal);
        }
    }

    [LinkFact]
    public void AFileThatCannotBeMadeIsRefused()
    {
        if (!OperatingSystem.IsLinux()) return;
        Assert.Equal("lora2: /proc/x.jsonl: no file can be made in '/proc', expected a place that can be written to.", Run("predict", "/proc/x.jsonl").Refused());
    }

    private CommandResult Run(string command, string output) => Lora2.Run(command, "--model", model, "--file", texts, "--output", output);
}
