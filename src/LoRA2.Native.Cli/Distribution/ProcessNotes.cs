using LoRA2.Native.Cli.Text;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Cli.Distribution;

/// <summary>What the library warns of, as notes for a person.</summary>
internal sealed class ProcessNotes(TextWriter error) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) error.WriteLine($"lora2: note: {Sentence.Of(formatter(state, exception))}");
    }
}
