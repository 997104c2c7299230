using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>What values an option of a run takes.</summary>
public enum RunOptionKind
{
    /// <summary>There or not.</summary>
    Flag,

    /// <summary>A number, or a word that stands for one.</summary>
    Number,

    /// <summary>A word or a number.</summary>
    Text,

    /// <summary>Words separated by commas.</summary>
    List,

    /// <summary>A file or folder.</summary>
    Path,
}

/// <summary>How a cell's run ended.</summary>
/// <param name="IsFinished">Whether it left its record.</param>
/// <param name="Failure">Why it failed; null when it is finished.</param>
public readonly record struct CellExit(bool IsFinished, string? Failure);

/// <summary>
/// What makes the runs of a comparison, and knows the options they take: <c>lora2</c> starts a process for each. Used by several threads at once. A run leaves what
/// <c>lora2 finetune</c> leaves in the cell's folder (see <see cref="RunFolder"/>), goes on from a checkpoint that it finds there, and ends in the same bits either way.
/// </summary>
public interface ICellRunner
{
    /// <summary>What an option takes; null when there is none of that name.</summary>
    RunOptionKind? KindOf(string option);

    /// <summary>Checks the value of one option by itself.</summary>
    /// <exception cref="InputException">It is none that the option takes.</exception>
    void Check(RunOption option);

    /// <summary>The adapter that a run with these options would train.</summary>
    /// <param name="task">The task that is learned.</param>
    /// <param name="options">Each checked by itself.</param>
    /// <exception cref="InputException">Options contradict each other, or one is not for the method.</exception>
    AdapterSettings AdapterOf(GlueTask task, IReadOnlyList<RunOption> options);

    /// <summary>The folder of a model that goes by a name of its own; null when there is none of that name.</summary>
    string? FolderOf(string model);

    /// <summary>Makes one run, or goes on with it.</summary>
    /// <param name="plan">Where model and data are.</param>
    /// <param name="cell">What to run.</param>
    /// <param name="threads">Threads to compute with, when the cell's options do not say.</param>
    /// <param name="log">The file that what the run says is added to.</param>
    /// <param name="step">Told of each step, and of their number.</param>
    /// <param name="cancellation">Stops the run after its step; it saves a checkpoint first.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    CellExit Run(ComparisonPlan plan, Cell cell, int threads, string log, Action<int, int> step, CancellationToken cancellation);
}
