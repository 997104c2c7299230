using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Hosting.Tests;

/// <summary>A log that is read afterwards.</summary>
internal sealed class RecordingLog : ILoggerProvider, ILogger
{
    public List<string> Lines { get; } = [];

    public List<Exception> Exceptions { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (Lines)
        {
            Lines.Add(formatter(state, exception));
            if (exception is not null) Exceptions.Add(exception);
        }
    }

    public void Dispose()
    {
    }
}
