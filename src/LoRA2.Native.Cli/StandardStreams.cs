using System.Text;

namespace LoRA2.Native.Cli;

/// <summary>
/// What a command reads from and writes to. Always UTF-8 without a byte-order mark and with line feeds, whatever the locale, so that a pipe's
/// content does not depend on the machine.
/// </summary>
internal sealed class StandardStreams
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public StandardStreams(Stream input, Stream output, TextWriter error)
    {
        Input = input;
        OutputBytes = output;
        Output = new StreamWriter(output, Utf8, 1 << 12, leaveOpen: true) { AutoFlush = true, NewLine = "\n" };
        Error = error;
    }

    public Stream Input { get; }

    public Stream OutputBytes { get; }

    /// <summary>The same stream as <see cref="OutputBytes"/>; flushed after every write.</summary>
    public TextWriter Output { get; }

    public TextWriter Error { get; }

    public bool IsInputTerminal { get; init; }

    public bool IsOutputTerminal { get; init; }

    public bool IsErrorTerminal { get; init; }

    /// <summary>Stops a run as Ctrl+C does.</summary>
    public CancellationToken Cancellation { get; init; }

    public static StandardStreams OfProcess()
    {
        var error = new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true, NewLine = "\n" };
        return new StandardStreams(Console.OpenStandardInput(), Console.OpenStandardOutput(), error)
        {
            IsInputTerminal = !Console.IsInputRedirected,
            IsOutputTerminal = !Console.IsOutputRedirected,
            IsErrorTerminal = !Console.IsErrorRedirected,
        };
    }
}
