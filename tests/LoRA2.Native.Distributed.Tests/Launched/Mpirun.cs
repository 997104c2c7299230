using System.Diagnostics;
using System.Text;
using LoRA2.Native.Cli;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Distributed.Tests.Launched;

/// <summary>A test that starts processes by an installed MPI; skipped, saying so, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MpiTheoryAttribute : TheoryAttribute
{
    public MpiTheoryAttribute()
    {
        if (Mpirun.Launchers.Count == 0) Skip = "there is no mpirun on the PATH (apt-get install openmpi-bin)";
    }
}

/// <summary>As <see cref="MpiTheoryAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MpiFactAttribute : FactAttribute
{
    public MpiFactAttribute()
    {
        if (Mpirun.Launchers.Count == 0) Skip = "there is no mpirun on the PATH (apt-get install openmpi-bin)";
    }
}

/// <summary>What a run of processes gave.</summary>
internal sealed record LaunchedResult(int Code, string Output, string Error)
{
    /// <summary>The one sentence that lora2 itself said on standard error, beside what the launcher adds.</summary>
    public string Sentence
    {
        get
        {
            string[] said = [.. Error.Split('\n').Where(line => line.StartsWith("lora2: ", StringComparison.Ordinal))];
            Assert.True(said.Length == 1, $"exit code {Code}: {Error}{Output}");
            return said[0];
        }
    }

    public LaunchedResult Done()
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}{Output}");
        return this;
    }
}

/// <summary>Runs <c>lora2</c> in several processes of this machine.</summary>
internal static class Mpirun
{
    /// <summary>Those on the PATH: mpirun as the system has it, and MPICH's own beside it.</summary>
    public static IReadOnlyList<string> Launchers { get; } = [.. ((string[])["mpirun", "mpiexec.mpich"]).Select(OnPath).OfType<string>()];

    public static LaunchedResult Run(int processes, params string[] args) => Run(Launchers[0], processes, [], args);

    public static LaunchedResult Run(string launcher, int processes, (string Name, string Value)[] variables, string[] args)
    {
        using Process process = Start(launcher, processes, variables, args);
        return Result(process);
    }

    /// <summary>What follows a command line for further processes that have another one.</summary>
    public static string[] Beside(int processes, params string[] args) => [":", .. Command(processes, args)];

    public static Process Start(int processes, params string[] args) => Start(Launchers[0], processes, [], args);

    /// <summary>Waits for its end; what it said since it was started.</summary>
    public static LaunchedResult Result(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(5)), "the processes did not end");
        return new LaunchedResult(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>The arguments of a short run with dropout, evaluations and checkpoints, on a model of one layer. What is given in <paramref name="more"/> replaces the usual.</summary>
    public static string[] Finetune(TemporaryFolder folder, string output, params string[] more)
    {
        string train = folder.File("train.tsv");
        if (!File.Exists(train)) File.WriteAllLines(train, File.ReadLines(Path.Combine(SharedData.QuickStart, "tickets.train.tsv")).Take(25));
        string[] usual = ["--model", Model, "--train", train, "--dev", train, "--output", output, "--batch-size", "8", "--epochs", "3", "--checkpoint-every", "1", "--dropout", "0.1", "--threads", "1"];
        return ["finetune", .. usual.Chunk(2).Where(option => !more.Contains(option[0])).SelectMany(option => option), .. more];
    }

    public static string Model { get; } = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop", "base");

    private static Process Start(string launcher, int processes, (string Name, string Value)[] variables, string[] args)
    {
        var info = new ProcessStartInfo(launcher) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, StandardInputEncoding = new UTF8Encoding(false) };
        if (IsOpenMpi(launcher))
        {
            foreach (string flag in (string[])["--allow-run-as-root", "--oversubscribe"]) info.ArgumentList.Add(flag);
        }

        foreach ((string name, string value) in variables) info.Environment[name] = value;
        foreach (string argument in Command(processes, args)) info.ArgumentList.Add(argument);
        Process process = Process.Start(info)!;
        process.StandardInput.Close();
        return process;
    }

    private static string[] Command(int processes, string[] args)
    {
        string self = Environment.ProcessPath!;
        return ["-n", $"{processes}", self.Contains("dotnet", StringComparison.Ordinal) ? self : "dotnet", typeof(LoRA2Command).Assembly.Location, .. args];
    }

    private static bool IsOpenMpi(string launcher)
    {
        using var asked = Process.Start(new ProcessStartInfo(launcher, "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
        return asked.StandardOutput.ReadToEnd().Contains("Open", StringComparison.Ordinal);
    }

    private static string? OnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
