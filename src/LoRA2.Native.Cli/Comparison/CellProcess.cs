using System.Diagnostics;
using System.Text;
using LoRA2.Native.Distributed;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>
/// <c>lora2 finetune</c> as a process of its own: what goes wrong in it ends this run only. It stops, having saved, when its standard input is closed, which happens by itself when
/// this process is killed.
/// </summary>
internal static class CellProcess
{
    private const string Program = "lora2";

    /// <summary>Runs to the end.</summary>
    /// <param name="arguments">Those of <c>lora2</c>.</param>
    /// <param name="log">Where what the run says is added.</param>
    /// <param name="step">Told of the steps, and of their number.</param>
    /// <param name="cancellation">Stops the run, which saves first.</param>
    public static CellExit Run(IEnumerable<string> arguments, string log, Action<int, int> step, CancellationToken cancellation)
    {
        using Process process = Process.Start(StartInfo(arguments)) ?? throw new IOException($"'{Environment.ProcessPath}' could not be started");
        using CancellationTokenRegistration stop = cancellation.Register(process.StandardInput.Close);
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        string? said = null, last = null;
        using (var writer = new StreamWriter(log, append: true) { AutoFlush = true, NewLine = "\n" })
        {
            while (process.StandardError.ReadLine() is { } line)
            {
                writer.WriteLine(line);
                if (line.StartsWith("lora2: ", StringComparison.Ordinal)) said ??= line["lora2: ".Length..];
                if (line.Length > 0) last = line;
                if (StepOf(line) is { } at) step(at.Step, at.Total);
            }
        }

        process.WaitForExit();
        if (process.ExitCode == ExitCode.Done) return new CellExit(true, null);
        return new CellExit(false, said ?? $"finetune ended with exit code {process.ExitCode}{(last is null ? "" : $"; its last words: {last}")}");
    }

    /// <summary>This program once more: the program itself, or the dotnet host with the program's assembly.</summary>
    private static ProcessStartInfo StartInfo(IEnumerable<string> arguments)
    {
        var utf8 = new UTF8Encoding(false);
        string self = Environment.ProcessPath ?? Program, assembly = Path.Combine(AppContext.BaseDirectory, Program + ".dll");
        bool isDotnet = Path.GetFileNameWithoutExtension(self) == "dotnet";
        bool isProgram = Path.GetFileNameWithoutExtension(self) == Program || !File.Exists(assembly);
        var info = new ProcessStartInfo(isDotnet || isProgram ? self : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = utf8,
            StandardOutputEncoding = utf8,
            StandardErrorEncoding = utf8,
        };
        // Started by a process that MPI started, it would take itself for one of those.
        foreach (string variable in Launch.Variables) info.Environment.Remove(variable);
        if (!isProgram) info.ArgumentList.Add(assembly);
        foreach (string argument in arguments) info.ArgumentList.Add(argument);
        return info;
    }

    /// <summary>The step and their number in a line that begins as in <c>step 12/400</c>.</summary>
    private static (int Step, int Total)? StepOf(string line)
    {
        if (!line.StartsWith("step ", StringComparison.Ordinal)) return null;
        string[] parts = line["step ".Length..].Split(' ')[0].Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], out int step) && int.TryParse(parts[1], out int total) ? (step, total) : null;
    }
}
