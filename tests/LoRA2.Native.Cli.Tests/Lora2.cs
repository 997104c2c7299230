using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LoRA2.Native.Cli;
using LoRA2.Native.Cli.Tests;

namespace LoRA2.Native.Cli.Tests;

/// <summary>What a run of the command gave.</summary>
internal sealed record CommandResult(int Code, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public JsonElement[] JsonLines => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Itself, when the command succeeded.</summary>
    public CommandResult Done()
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}{Output}");
        return this;
    }

    /// <summary>The one sentence of a refusal.</summary>
    public string Refused()
    {
        Assert.Equal(2, Code);
        Assert.Empty(Output);
        string line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("lora2: ", line, StringComparison.Ordinal);
        return line;
    }
}

/// <summary>Runs the command inside this process, or as a child.</summary>
internal static class Lora2
{
    public static CommandResult Run(params string[] args) => Run([], default, args);

    public static CommandResult RunWith(string input, params string[] args) => Run(Encoding.UTF8.GetBytes(input), default, args);

    public static CommandResult Run(byte[] input, CancellationToken cancellation, params string[] args)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter { NewLine = "\n" };
        int code = LoRA2Command.Run(args, new StandardStreams(new MemoryStream(input), output, error) { Cancellation = cancellation });
        return new CommandResult(code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    /// <summary>Starts the built command as a process of its own.</summary>
    public static Process Start(string folder, params string[] args)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!.Contains("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        info.ArgumentList.Add(typeof(LoRA2Command).Assembly.Location);
        foreach (string arg in args) info.ArgumentList.Add(arg);
        return Process.Start(info)!;
    }
}
