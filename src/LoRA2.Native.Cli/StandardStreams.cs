using System.Globalization;
using System.Text;
using LoRA2.Native.Cli.Distribution;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Communication;
using LoRA2.Native.Distributed;

namespace LoRA2.Native.Cli;

/// <summary>
/// What a command reads from and writes to. Always UTF-8 without a byte-order mark and with line feeds, whatever the locale, so that a pipe's
/// content does not depend on the machine.
/// </summary>
internal sealed class StandardStreams
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly TextWriter standardError;
    private StringBuilder? kept;

    public StandardStreams(Stream input, Stream? output, TextWriter error)
    {
        Input = input;
        OutputBytes = new StandardOutput(output);
        Output = new StreamWriter(OutputBytes, Utf8, 1 << 12, leaveOpen: true) { AutoFlush = true, NewLine = "\n" };
        Error = standardError = error;
    }

    public Stream Input { get; }

    public Stream OutputBytes { get; private set; }

    /// <summary>The same stream as <see cref="OutputBytes"/>; flushed after every write.</summary>
    public TextWriter Output { get; private set; }

    public TextWriter Error { get; private set; }

    public bool IsInputTerminal { get; init; }

    public bool IsOutputTerminal { get; init; }

    public bool IsErrorTerminal { get; init; }

    /// <summary>Stops a run as Ctrl+C does.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>What MPI says started this process, or null.</summary>
    public Launch? Launch { get; init; }

    /// <summary>The processes that share the command's work, once <see cref="Share"/> was called and where MPI started this one.</summary>
    public ProcessGroup? Group { get; private set; }

    /// <summary>The processes that share the command's work, or null when it is one's.</summary>
    public Communicator? Communicator => Group?.Communicator;

    /// <summary>Joins the processes that MPI started with this one, if it did.</summary>
    public void Share()
    {
        if (Launch is not null) Group ??= ProcessGroup.Join(standardError);
        if (Group is null || kept is null) return;
        kept = null;
        Error = TextWriter.Null;
    }

    /// <summary>Says nothing from now on: process 0 does. What goes wrong before there is a <see cref="Group"/> is kept.</summary>
    public void Silence()
    {
        OutputBytes = Stream.Null;
        Output = TextWriter.Null;
        kept = new StringBuilder();
        Error = new StringWriter(kept, CultureInfo.InvariantCulture) { NewLine = "\n" };
    }

    /// <summary>Says what was kept.</summary>
    public void SayKept()
    {
        standardError.Write(kept);
        kept = null;
    }

    public static StandardStreams OfProcess()
    {
        var error = new StreamWriter(IsClosed(2) ? Stream.Null : Console.OpenStandardError(), Utf8) { AutoFlush = true, NewLine = "\n" };
        return new StandardStreams(IsClosed(0) ? Stream.Null : Console.OpenStandardInput(), IsClosed(1) ? null : Console.OpenStandardOutput(), error)
        {
            IsInputTerminal = !Console.IsInputRedirected,
            // Of what mpirun passes on nobody knows whether it goes to a terminal.
            IsOutputTerminal = !Console.IsOutputRedirected && Launch.Detected is null,
            IsErrorTerminal = !Console.IsErrorRedirected && Launch.Detected is null,
            Launch = Launch.Detected,
        };
    }

    /// <summary>
    /// Whether the process was started without one of its standard streams: the number then belongs to a file or pipe of the runtime's own, where reading would wait for ever, and what is written
    /// is lost or worse. The runtime has its files closed when a program is started, which what a process was started with cannot have been.
    /// </summary>
    /// <param name="number">The stream's: 0 to 2.</param>
    private static bool IsClosed(int number)
    {
        const int closedOnExec = 0x80000;
        const string flags = "flags:", folder = "/proc/self/fdinfo";
        if (!OperatingSystem.IsLinux() || !Directory.Exists(folder)) return false;
        try
        {
            string? line = File.ReadLines($"{folder}/{number}").FirstOrDefault(line => line.StartsWith(flags, StringComparison.Ordinal));
            return line is not null && (Convert.ToInt32(line[flags.Length..].Trim(), 8) & closedOnExec) != 0;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return false;
        }
    }
}
