using System.Collections.Concurrent;
using LoRA2.Native.Cli.Finetuning;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cli.Comparison;

/// <summary>Runs the cells that are not finished, several at a time when asked to, and writes the results after each.</summary>
/// <param name="plan">What to run.</param>
/// <param name="options">Finetune's options.</param>
/// <param name="output">The comparison's folder.</param>
/// <param name="parallel">Runs at a time.</param>
/// <param name="write">Writes the results so far; not called by two threads at once.</param>
internal sealed class ComparisonRun(ComparisonPlan plan, RunOptions options, string output, int parallel, Action<IReadOnlyList<CellOutcome>> write)
{
    private readonly Lock writing = new();
    private readonly IReadOnlyList<Cell> cells = plan.Cells(output);
    private readonly ConcurrentDictionary<Cell, CellOutcome> outcomes = [];
    private readonly int threads = Math.Max(1, Compute.Threads / parallel);
    private int done;

    /// <summary>Every cell in the plan's order, with what became of it so far.</summary>
    public IReadOnlyList<CellOutcome> Outcomes => [.. cells.Select(cell => outcomes.GetValueOrDefault(cell) ?? new CellOutcome(cell, null, null))];

    /// <returns>An <see cref="ExitCode"/>.</returns>
    public int Run(IComparisonProgress progress, CancellationToken cancellation)
    {
        var waiting = new ConcurrentQueue<Cell>();
        foreach (Cell cell in cells)
        {
            var folder = new CellFolder(cell, plan);
            CellState state = folder.State;
            if (state == CellState.Finished) outcomes[cell] = new CellOutcome(cell, folder.Result, null);
            else waiting.Enqueue(cell);
            if (state == CellState.Changed) progress.Note($"{cell}: its options, or the model or the data, changed since it ran; it is run anew");
        }

        done = outcomes.Count;
        progress.Note($"{cells.Count} {(cells.Count == 1 ? "run" : "runs")}{(done > 0 ? $", {done} of them finished already" : "")}; {Math.Min(parallel, Math.Max(1, waiting.Count))} at a time, {(threads == 1 ? "one thread" : $"{threads} threads")} each");
        write(Outcomes);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] workers = [.. Enumerable.Range(0, Math.Min(parallel, waiting.Count)).Select(_ => Task.Factory.StartNew(() => Work(waiting, progress, stop), TaskCreationOptions.LongRunning))];
        Task.WhenAll(workers).GetAwaiter().GetResult();
        if (cancellation.IsCancellationRequested) return ExitCode.Interrupted;
        return outcomes.Values.Any(outcome => outcome.Failure is not null) ? ExitCode.Failed : ExitCode.Done;
    }

    private void Work(ConcurrentQueue<Cell> waiting, IComparisonProgress progress, CancellationTokenSource stop)
    {
        try
        {
            while (!stop.IsCancellationRequested && waiting.TryDequeue(out Cell? cell)) Run(cell, progress, stop.Token);
        }
        catch
        {
            stop.Cancel();
            throw;
        }
    }

    private void Run(Cell cell, IComparisonProgress progress, CancellationToken cancellation)
    {
        progress.Started(cell);
        var folder = new CellFolder(cell, plan);
        CellExit exit;
        try
        {
            folder.Prepare(() => progress.Note($"{cell}: another process writes to {cell.Folder}; waiting for it"), cancellation);
            bool hasThreads = cell.Options.Any(option => option.Name == "threads");
            string[] watched = ["--resume", "--json", "--stop-with-input", .. hasThreads ? Array.Empty<string>() : ["--threads", $"{threads}"]];
            exit = CellProcess.Run(["finetune", .. cell.Arguments(plan, options), .. watched], folder.Log, (step, total) => progress.Moved(cell, step, total), cancellation);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        // A run that ended by itself counts, however late.
        if (cancellation.IsCancellationRequested && exit.Code != ExitCode.Done) return;
        CellOutcome outcome = Outcome(cell, folder, exit);
        lock (writing)
        {
            outcomes[cell] = outcome;
            progress.Ended(cell, outcome.Describe(plan.Score), ++done, cells.Count);
            write(Outcomes);
        }
    }

    private static CellOutcome Outcome(Cell cell, CellFolder folder, CellExit exit)
    {
        try
        {
            return new CellOutcome(cell, exit.Code == ExitCode.Done ? folder.Result : null, exit.Reason);
        }
        catch (Exception e) when (e is InputException or IOException)
        {
            return new CellOutcome(cell, null, e.Message);
        }
    }
}
