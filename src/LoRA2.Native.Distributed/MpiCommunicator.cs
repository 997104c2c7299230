using System.Globalization;
using System.Runtime.InteropServices;
using LoRA2.Native.Communication;
using LoRA2.Native.Distributed.Mpi;
using LoRA2.Native.Distributed.Watching;
using LoRA2.Native.Files;

namespace LoRA2.Native.Distributed;

/// <summary>
/// The processes that <c>mpirun</c> or <c>srun</c> started, over the installed MPI. A call that waits for a process that is no more ends with a sentence that names it; MPI
/// can't be ended in order then, and <see cref="Quit"/> ends the process without.
/// </summary>
public sealed unsafe partial class MpiCommunicator : Communicator
{
    /// <summary>The variable with the seconds after which a process that is not heard of is given up.</summary>
    public const string SilenceVariable = "LORA2_RANK_TIMEOUT";

    private const double UsualSilence = 30;

    private readonly MpiLibrary library;
    private readonly ProcessWatch? watch;
    private readonly string[] hosts;
    private bool ended;

    private MpiCommunicator(MpiLibrary library, TimeSpan silence)
    {
        this.library = library;
        (Rank, Size) = (library.Rank, library.Size);
        hosts = new string[Size];
        Array.Fill(hosts, library.Host);
        if (Size == 1) return;
        hosts = [.. AllGatherText(library.Host)];
        // It is there before it starts: what waits meanwhile ends when a process does.
        watch = new ProcessWatch(this, silence);
        watch.Start();
    }

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Hosts => hosts;

    /// <summary>What the MPI library calls itself.</summary>
    public string Library => library.Version;

    /// <summary>Whether a process that ends is noticed at once; not so where process 0 could not be reached beside MPI.</summary>
    public bool IsWatched => watch?.IsComplete ?? true;

    /// <summary>Why the processes can't go on, or null.</summary>
    public ProcessFailure? Failure => watch?.Failure;

    /// <summary>Cancelled when there is a <see cref="Failure"/>.</summary>
    public CancellationToken Failed => watch?.Failed ?? CancellationToken.None;

    /// <summary>Joins the processes that were started together. Once in a process's life.</summary>
    /// <exception cref="InputException">No MPI library was found, it is not that of what started the process, or it allows too little.</exception>
    public static MpiCommunicator Join()
    {
        Launch? launch = Launch.Detected;
        MpiLibrary library = MpiLibrary.Load(launch, Environment.GetEnvironmentVariable(MpiLibrary.Variable));
        TimeSpan silence = Silence(Environment.GetEnvironmentVariable(SilenceVariable));
        RequireMatch(launch, library);
        library.Begin();
        if (launch?.Size is { } size && size != library.Size)
        {
            int found = library.Size;
            library.End();
            throw new InputException($"{launch.Launcher} started {size} processes, and {library.Version} ({library.File}) knows of {found}; the library of what started them was expected ({MpiLibrary.Variable} names it)");
        }

        return new MpiCommunicator(library, silence);
    }

    /// <summary>Ends this process at once, without MPI's own ending, which would wait for processes that are no more.</summary>
    public static void Quit(int code)
    {
        if (OperatingSystem.IsWindows()) Environment.Exit(code);
        else ExitNow(code);
    }

    /// <inheritdoc/>
    public override void Abort(string reason) => Abort(reason, 1);

    /// <summary>Tells the others that this process can't go on, and with which exit code it ends.</summary>
    public void Abort(string reason, int exitCode)
    {
        ArgumentNullException.ThrowIfNull(reason);
        watch?.Abort(reason, exitCode);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (ended || !disposing) return;
        ended = true;
        if (Failure is null)
        {
            if (Size > 1) Wait();
            // MPI's ending waits for the others too, so they are watched until then.
            library.End();
            watch?.Leave();
        }

        watch?.Dispose();
    }

    /// <inheritdoc/>
    protected override void Wait()
    {
        long request = 0;
        library.StartBarrier(&request);
        Complete(&request);
    }

    /// <inheritdoc/>
    protected override void Spread(Span<byte> values, int root)
    {
        long request = 0;
        fixed (byte* own = values)
        {
            library.StartBroadcast(own, values.Length, root, &request);
            Complete(&request);
        }
    }

    /// <inheritdoc/>
    protected override void Gather(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts)
    {
        long request = 0;
        Span<int> places = Size <= 128 ? stackalloc int[Size] : new int[Size];
        Places(counts, places);
        byte nothing = 0;
        fixed (byte* from = own, to = all)
        fixed (int* count = counts, place = places)
        {
            library.StartGather(from is null ? &nothing : from, own.Length, to is null ? &nothing : to, count, place, &request);
            Complete(&request);
        }
    }

    /// <inheritdoc/>
    protected override void Exchange(ReadOnlySpan<byte> send, ReadOnlySpan<int> sendCounts, Span<byte> receive, ReadOnlySpan<int> receiveCounts)
    {
        long request = 0;
        Span<int> sendPlaces = Size <= 128 ? stackalloc int[Size] : new int[Size], receivePlaces = Size <= 128 ? stackalloc int[Size] : new int[Size];
        Places(sendCounts, sendPlaces);
        Places(receiveCounts, receivePlaces);
        byte nothing = 0;
        fixed (byte* from = send, to = receive)
        fixed (int* sends = sendCounts, sendPlace = sendPlaces, receives = receiveCounts, receivePlace = receivePlaces)
        {
            library.StartExchange(from is null ? &nothing : from, sends, sendPlace, to is null ? &nothing : to, receives, receivePlace, &request);
            Complete(&request);
        }
    }

    internal static TimeSpan Silence(string? text)
    {
        if (string.IsNullOrEmpty(text)) return TimeSpan.FromSeconds(UsualSilence);
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 1 and <= 86400) return TimeSpan.FromSeconds(seconds);
        throw new InputException($"{SilenceVariable} is '{text}'; seconds from 1 to 86400 were expected");
    }

    private static void RequireMatch(Launch? launch, MpiLibrary library)
    {
        if (launch is { Launcher: Launch.OpenMpi } && !library.IsOpenMpi || launch is { Launcher: Launch.Mpich } && library.IsOpenMpi)
            throw new InputException($"{launch.Launcher} started this process, and {library.File} is {library.Version}; the library of what started it was expected ({MpiLibrary.Variable} names it)");
    }

    private static void Places(ReadOnlySpan<int> counts, Span<int> places)
    {
        int start = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            places[i] = start;
            start = checked(start + counts[i]);
        }
    }

    /// <summary>Waits as MPI wants it, by asking again and again; what asks for the processor meanwhile has it.</summary>
    private void Complete(long* request)
    {
        const int Spins = 200;
        const int Yields = 200_000;
        for (int asked = 0; !library.IsDone(request); asked++)
        {
            if (Failure is { } failure) throw new CommunicationException(failure.Message);
            if (asked < Spins) Thread.SpinWait(20);
            else if (asked < Yields || asked % 64 != 0) Thread.Yield();
            else Thread.Sleep(1);
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);
}
