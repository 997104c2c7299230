using System.Diagnostics;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Streams;

public sealed class StandardStreamsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ALineWithoutAnEndIsRefused()
    {
        using var error = new StringWriter();
        using var endless = new Endless("first\n"u8.ToArray());
        int code = LoRA2Command.Run(["tokenize", "--model", TinyModel.Write(folder)], new StandardStreams(endless, Stream.Null, error));
        Assert.Equal(2, code);
        Assert.Equal($"lora2: standard input, line 2: more than 64 MiB without a line end were found; texts, one a line, were expected\n", error.ToString().ReplaceLineEndings("\n"));
        Assert.InRange(endless.Given, LineReader.LongestLine, LineReader.LongestLine + (1 << 16));
    }

    [Fact]
    public void ALineOfMostBytesIsRead()
    {
        byte[] most = new byte[LineReader.LongestLine];
        most[^1] = (byte)'\n';
        var lines = new LineReader(new MemoryStream(most), "a");
        Assert.True(lines.TryRead(out ReadOnlySpan<byte> line));
        Assert.Equal(most.Length - 1, line.Length);
        Assert.False(lines.TryRead(out _));
        most[^1] = 0;
        lines = new LineReader(new MemoryStream(most), "a");
        Assert.Contains("a, line 1: more than 64 MiB", Assert.Throws<InputException>(() => lines.TryRead(out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StandardOutputIsNamedWhenItIsFull()
    {
        string model = TinyModel.Write(folder);
        foreach (string[] args in (string[][])[["predict", "--model", model, "--text", "a"], ["inspect", model], ["inspect", model, "--json"], ["--help"]])
        {
            using var error = new StringWriter();
            Assert.Equal(1, LoRA2Command.Run(args, new StandardStreams(Stream.Null, new Full(), error)));
            Assert.Equal("lora2: standard output: No space left on device\n", error.ToString().ReplaceLineEndings("\n"));
        }
    }

    [LinkFact]
    public async Task AClosedStandardInputIsAnEmptyOne()
    {
        using Process process = await Shell("<&-", "tokenize", "--model", TinyModel.Write(folder));
        Assert.Equal("", await process.StandardError.ReadToEndAsync());
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync());
        Assert.Equal(0, process.ExitCode);
    }

    [LinkFact]
    public async Task AClosedStandardOutputIsAnErrorOfWhoeverWrites()
    {
        string model = TinyModel.Write(folder), file = folder.File("out.jsonl");
        foreach (string[] args in (string[][])[["predict", "--model", model, "--text", "a"], ["inspect", model], ["inspect", model, "--json"], ["--help"], ["--version"]])
        {
            using Process process = await Shell(">&-", args);
            Assert.Equal("lora2: standard output is closed\n", await process.StandardError.ReadToEndAsync());
            Assert.Equal(1, process.ExitCode);
        }

        using Process elsewhere = await Shell(">&-", "predict", "--model", model, "--text", "a", "--output", file);
        Assert.Equal(0, elsewhere.ExitCode);
        Assert.NotEmpty(File.ReadAllText(file));
    }

    /// <summary>Whoever closes it wants to hear nothing; the answers and the exit code are as they are.</summary>
    [LinkFact]
    public async Task AClosedStandardErrorIsNoError()
    {
        string model = TinyModel.Write(folder);
        using Process process = await Shell("2>&-", "predict", "--model", model, "--text", "a");
        Assert.Equal(0, process.ExitCode);
        Assert.NotEmpty(await process.StandardOutput.ReadToEndAsync());
        using Process refused = await Shell("2>&-", "predict", "--model", folder.File("none"), "--text", "a");
        Assert.Equal(2, refused.ExitCode);
    }

    private static async Task<Process> Shell(string redirection, params string[] args)
    {
        var info = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string arg in (string[])["-c", $"exec \"$0\" \"$@\" {redirection}", "dotnet", typeof(LoRA2Command).Assembly.Location, .. args]) info.ArgumentList.Add(arg);
        Process process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        return process;
    }

    private sealed class Endless(byte[] first) : MemoryStream
    {
        public long Given { get; private set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            Array.Clear(buffer, offset, count);
            if (Given == 0)
            {
                first.CopyTo(buffer, offset);
                count = first.Length;
            }

            Given += count;
            return count;
        }
    }

    private sealed class Full : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device");
    }
}
