using LoRA2.Native.Cli.Text;
using LoRA2.Native.Communication;
using LoRA2.Native.Distributed;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Distribution;

/// <summary>
/// The processes of one <c>mpirun lora2 …</c>. Process 0 alone reads answers out, writes and reports; when one ends, all do, and one says why. A command that was not started by
/// MPI has none, and nothing of MPI is loaded.
/// </summary>
internal sealed class ProcessGroup
{
    /// <summary>Parts of a batch where several processes train and nobody says how many: the same for every number of them up to that.</summary>
    public const int UsualParts = 8;

    /// <summary>How long a process that failed lets the first one speak.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The same before the processes know of each other: they may have started at different times.</summary>
    public static readonly TimeSpan PatienceBeforeJoining = TimeSpan.FromSeconds(5);

    /// <summary>Commands that several processes share the work of.</summary>
    private static readonly string[] Sharing = ["finetune", "pretrain", "predict", "embed", "compare"];

    private readonly MpiCommunicator communicator;
    private readonly TextWriter error;
    private readonly Lock speaking = new();
    private bool hasSpoken;

    private ProcessGroup(MpiCommunicator communicator, TextWriter error)
    {
        (this.communicator, this.error) = (communicator, error);
        if (!communicator.IsWatched && communicator.IsFirst)
            error.WriteLine("lora2: note: process 0 can't be reached beside MPI by all others; a process that ends will be noticed by MPI alone");
        communicator.Failed.Register(() => End(communicator.Failure!));
    }

    /// <summary>All of them, or null when there is one.</summary>
    public Communicator? Communicator => communicator.Size > 1 ? communicator : null;

    /// <summary>What the MPI library calls itself.</summary>
    public string Library => communicator.Library;

    /// <summary>What can be done after a process ended, for the end of the sentence that says so.</summary>
    public Func<string>? Advice { get; set; }

    /// <summary>Joins the others.</summary>
    /// <param name="error">Where a failure is said.</param>
    /// <exception cref="InputException">MPI started this process, and there is no library of it that fits.</exception>
    public static ProcessGroup Join(TextWriter error) => new(MpiCommunicator.Join(), error);

    /// <summary>Refuses to have several processes do the same.</summary>
    /// <exception cref="InputException">The command is for one.</exception>
    public static void RequireShared(string command, Launch? launch)
    {
        if (launch is { Size: > 1 } && !Sharing.Contains(command))
            throw new InputException($"{launch.Launcher} started {launch.Size} processes of 'lora2 {command}', which is for one; leave it out, or take one of {string.Join(", ", Sharing)}");
    }

    /// <summary>The command is done in this process; waits for the others.</summary>
    public void Leave() => communicator.Dispose();

    /// <summary>The command failed in this process: the others are told, and this process ends.</summary>
    /// <param name="sentence">What failed.</param>
    /// <param name="code">The exit code.</param>
    /// <param name="note">Said after it, or null.</param>
    /// <param name="trace">Where it failed, which is shown by every process in which it did, or null.</param>
    public void Fail(string sentence, int code, string? note, string? trace)
    {
        lock (speaking)
        {
            // What failed because another process ended is said by the one that knows which.
            if (communicator.Failure is { IsOwn: false } failure) Say(failure);
            else Say(sentence, note, trace);
            hasSpoken = true;
        }

        // What all find wrong the first says, and it is not to be stopped meanwhile.
        if (!communicator.IsFirst) Thread.Sleep(Patience);
        communicator.Abort(sentence, code);
        Quit(communicator.Failure?.ExitCode ?? code);
    }

    private void End(ProcessFailure failure)
    {
        lock (speaking)
        {
            // What failed in this process itself ends there, where it is known.
            if (hasSpoken || failure.IsOwn) return;
            Say(failure);
        }

        Quit(failure.ExitCode);
    }

    private void Say(string sentence, string? note, string? trace)
    {
        // Of another process the first one says what it was told.
        if ((communicator.IsFirst || !communicator.IsWatched) && !hasSpoken)
        {
            error.WriteLine($"lora2: {sentence}");
            if (note is not null) error.WriteLine($"lora2: {note}");
        }

        if (trace is not null) error.WriteLine(trace);
    }

    private void Say(ProcessFailure failure)
    {
        if (!hasSpoken && !failure.IsSaid) error.WriteLine($"lora2: {Sentence.Of(failure.Message)}{(Advice is null ? "" : $"; {Advice()}")}");
        hasSpoken = true;
    }

    /// <summary>Ends the process; the launcher kills all as soon as one has ended, and the first one is to have spoken by then.</summary>
    private void Quit(int code)
    {
        if (!communicator.IsFirst) Thread.Sleep(Patience);
        MpiCommunicator.Quit(code);
    }
}
