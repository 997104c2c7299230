using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Experiments.Tests.Comparison;

/// <summary>Makes runs that take no time: each leaves a record with the score that a script gives it.</summary>
internal sealed class ScriptedRunner : ICellRunner
{
    private int running;

    /// <summary>Called instead of a run; what it returns is the score.</summary>
    public Func<Cell, double> Script { get; set; } = cell => 0.5 + (cell.Seed / 100.0);

    /// <summary>The runs that were made, by whatever thread.</summary>
    public List<string> Made { get; } = [];

    /// <summary>The most runs that were made at a time.</summary>
    public int Most { get; private set; }

    public RunOptionKind? KindOf(string option) => option switch
    {
        "recompute" => RunOptionKind.Flag,
        "from" => RunOptionKind.Path,
        "targets" => RunOptionKind.List,
        "rnak" => null,
        _ => RunOptionKind.Text,
    };

    public void Check(RunOption option)
    {
    }

    public AdapterSettings AdapterOf(GlueTask task, IReadOnlyList<RunOption> options)
    {
        AdapterMethod method = AdapterMethods.Named(options.First(option => option.Name == "method").Value!);
        foreach (RunOption option in options)
        {
            if (method.Options.FirstOrDefault(own => own.Name == option.Name) is { } setting) method = setting.With(method, option.Value!);
        }

        string? targets = options.FirstOrDefault(option => option.Name == "targets").Value;
        return new AdapterSettings { Method = method, Targets = targets?.Split(',') ?? method.DefaultTargets };
    }

    public string? FolderOf(string model) => model == "own" ? "/models/own" : null;

    public CellExit Run(ComparisonPlan plan, Cell cell, int threads, string log, Action<int, int> step, CancellationToken cancellation)
    {
        lock (Made)
        {
            Made.Add($"{cell}");
            Most = Math.Max(Most, ++running);
        }

        try
        {
            double score = Script(cell);
            cancellation.ThrowIfCancellationRequested();
            if (double.IsNaN(score)) return new CellExit(false, "it broke");
            step(1, 1);
            File.WriteAllBytes(new RunFolder(cell.Folder).Record, Record(score));
            return new CellExit(true, null);
        }
        finally
        {
            lock (Made) running--;
        }
    }

    private static byte[] Record(double score)
    {
        var metrics = new { accuracy = score };
        var machine = new { device = "cpu", system = "s", architecture = "a", runtime = "r", processors = 1, threads = 1, simd = "v", bfloat16 = "b" };
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            model_type = "bert",
            metrics,
            best_step = 1,
            steps = 1,
            seconds = 1.0,
            training_seconds = 1.0,
            tokens_per_second = 1.0,
            peak_memory_mb = 1.0,
            parameters = new { adapter = 10, head = 2 },
            history = new[] { new { metrics } },
            machine,
        });
    }
}
