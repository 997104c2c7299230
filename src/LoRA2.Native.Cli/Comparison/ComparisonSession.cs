using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Experiments.Comparison;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>A comparison from the plan to what a person sees in the end.</summary>
internal sealed class ComparisonSession(ComparisonRequest request, ICellRunner runner, StandardStreams streams)
{
    private readonly TextWriter human = request.Json ? streams.Error : streams.Output;

    /// <summary>Makes the runs, and writes what every comparison writes.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public int Run(ComparisonPlan plan)
    {
        var files = new ComparisonFiles(request.Output);
        (int code, ComparisonTable table) = Run(plan, files.Write);
        if (code == ExitCode.Interrupted || streams.Communicator is { IsFirst: false }) return code;
        human.WriteLine();
        human.Write(ComparisonMarkdown.Scores(table));
        human.WriteLine();
        human.WriteLine($"{table.ScoreText} {table.ErrorText}");
        human.WriteLine($"saved        {files.Markdown}, {files.Csv}, {files.Page}");
        if (request.Json) ComparisonJson.Write(streams.OutputBytes, table);
        return code;
    }

    /// <summary>Makes the runs.</summary>
    /// <param name="plan">Which.</param>
    /// <param name="write">Writes the results so far.</param>
    public (int Code, ComparisonTable Table) Run(ComparisonPlan plan, Action<ComparisonTable> write)
    {
        OutputFolder.RequireFolder(request.Output);
        using SharedComparison? shared = streams.Communicator is { } several ? new SharedComparison(several, request.Output) : null;
        var run = new ComparisonRun(plan, runner, request.Output, request.Parallel, shared?.Share);
        if (shared is { Share.Leads: false }) write = _ => { };
        using var interruption = new Interruption(streams.Cancellation);
        bool terminal = request.Json ? streams.IsErrorTerminal : streams.IsOutputTerminal;
        ComparisonEnd end = terminal
            ? BarComparisonProgress.Show(human, progress => run.Run(progress, write, interruption.Token))
            : run.Run(new PlainComparisonProgress(human), write, interruption.Token);
        if (shared is not null) end = shared.Complete(run, end, write);
        ComparisonTable table = run.Table;
        if (end == ComparisonEnd.Cancelled)
            streams.Error.WriteLine($"lora2: interrupted with {table.Finished} of {table.Outcomes.Count} runs finished; those in progress have saved: the same command goes on from there");
        return (end switch { ComparisonEnd.Done => ExitCode.Done, ComparisonEnd.Failed => ExitCode.Failed, _ => ExitCode.Interrupted }, table);
    }
}
