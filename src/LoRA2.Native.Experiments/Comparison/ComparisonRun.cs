using System.Collections.Concurrent;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>How a comparison ended.</summary>
public enum ComparisonEnd
{
    /// <summary>Every run is finished.</summary>
    Done,

    /// <summary>A run failed; the others are finished.</summary>
    Failed,

    /// <summary>It was cancelled. Runs in progress have saved: the same comparison goes on from there.</summary>
    Cancelled,
}

/// <summary>Makes the runs of a comparison that are not finished, several at a time when asked to, and keeps the results up to date after each.</summary>
/// <param name="plan">What to run.</param>
/// <param name="runner">Who makes the runs.</param>
/// <param name="output">The comparison's folder.</param>
/// <param name="parallel">Runs at a time, which share the threads.</param>
/// <param name="share">What this process has of a comparison that several make, or null.</param>
/// <example><code>
/// ComparisonPlan plan = ComparisonFile.Load("methods.json", runner);
/// var run = new ComparisonRun(plan, runner, "comparison", parallel: 4);
/// run.Run(progress, new ComparisonFiles("comparison").Write, cancellation);
/// </code></example>
public sealed class ComparisonRun(ComparisonPlan plan, ICellRunner runner, string output, int parallel = 1, ComparisonShare? share = null)
{
    private readonly ComparisonPlan plan = plan ?? throw new ArgumentNullException(nameof(plan));
    private readonly ICellRunner runner = runner ?? throw new ArgumentNullException(nameof(runner));
    private readonly string output = output ?? throw new ArgumentNullException(nameof(output));
    private readonly Lock writing = new();
    private readonly IReadOnlyList<Cell> cells = plan.Cells(output);
    private readonly ConcurrentDictionary<Cell, CellOutcome> outcomes = [];
    private readonly int threads = parallel >= 1 ? Math.Max(1, Compute.Threads / parallel) : throw new ArgumentOutOfRangeException(nameof(parallel), parallel, "at least one run at a time was expected");
    private int done;

    /// <summary>Every run in the plan's order, with what became of it so far.</summary>
    public ComparisonTable Table => ComparisonTable.Of(plan, [.. cells.Select(cell => outcomes.GetValueOrDefault(cell) ?? new CellOutcome(cell, null, null))]);

    /// <summary>Makes the runs. The folder is kept from other processes meanwhile; one that several share is kept by them.</summary>
    /// <param name="progress">Told of each run.</param>
    /// <param name="write">Writes the results so far, at the start and after each run; not called by two threads at once.</param>
    /// <param name="cancellation">Stops the runs in progress, which save first, and starts no more.</param>
    /// <exception cref="InputException">Another process writes to the folder, or a record there is damaged.</exception>
    public ComparisonEnd Run(IComparisonProgress progress, Action<ComparisonTable> write, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentNullException.ThrowIfNull(write);
        using FileStream? hold = share is null ? new RunFolder(output).Hold() : null;
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
        write(Table);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] workers = [.. Enumerable.Range(0, Math.Min(parallel, waiting.Count)).Select(_ => Task.Factory.StartNew(() => Work(waiting, progress, write, stop), TaskCreationOptions.LongRunning))];
        Task.WhenAll(workers).GetAwaiter().GetResult();
        if (cancellation.IsCancellationRequested) return ComparisonEnd.Cancelled;
        return outcomes.Values.Any(outcome => outcome.Failure is not null) ? ComparisonEnd.Failed : ComparisonEnd.Done;
    }

    /// <summary>Takes what other processes made of the cells, once they are done.</summary>
    /// <param name="failures">Why cells failed there, by their folder.</param>
    /// <exception cref="InputException">A record is damaged.</exception>
    public ComparisonEnd Complete(IReadOnlyDictionary<string, string> failures)
    {
        ArgumentNullException.ThrowIfNull(failures);
        foreach (Cell cell in cells.Where(cell => !outcomes.ContainsKey(cell)))
        {
            var folder = new CellFolder(cell, plan);
            if (folder.State == CellState.Finished) outcomes[cell] = new CellOutcome(cell, folder.Result, null);
            else if (failures.TryGetValue(cell.Folder, out string? why)) outcomes[cell] = new CellOutcome(cell, null, why);
        }

        if (outcomes.Values.Any(outcome => outcome.Failure is not null)) return ComparisonEnd.Failed;
        return outcomes.Count == cells.Count ? ComparisonEnd.Done : ComparisonEnd.Cancelled;
    }

    private void Work(ConcurrentQueue<Cell> waiting, IComparisonProgress progress, Action<ComparisonTable> write, CancellationTokenSource stop)
    {
        try
        {
            while (!stop.IsCancellationRequested && waiting.TryDequeue(out Cell? cell))
            {
                if (share is null || share.Claim(cell)) Run(cell, progress, write, stop.Token);
            }
        }
        catch
        {
            stop.Cancel();
            throw;
        }
    }

    private void Run(Cell cell, IComparisonProgress progress, Action<ComparisonTable> write, CancellationToken cancellation)
    {
        progress.Started(cell);
        var folder = new CellFolder(cell, plan);
        CellExit exit;
        try
        {
            folder.Prepare(() => progress.Note($"{cell}: another process writes to {cell.Folder}; waiting for it"), cancellation);
            exit = runner.Run(plan, cell, threads, folder.Log, (step, total) => progress.Moved(cell, step, total), cancellation);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        // A run that ended by itself counts, however late.
        if (cancellation.IsCancellationRequested && !exit.IsFinished) return;
        CellOutcome outcome = Outcome(cell, folder, exit);
        lock (writing)
        {
            outcomes[cell] = outcome;
            progress.Ended(cell, outcome.Describe(plan.Score), ++done, cells.Count);
            write(Table);
        }
    }

    private static CellOutcome Outcome(Cell cell, CellFolder folder, CellExit exit)
    {
        try
        {
            return new CellOutcome(cell, exit.IsFinished ? folder.Result : null, exit.Failure);
        }
        catch (Exception e) when (e is InputException or IOException)
        {
            return new CellOutcome(cell, null, e.Message);
        }
    }
}
