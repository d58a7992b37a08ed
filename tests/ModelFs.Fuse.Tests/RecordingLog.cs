using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ModelFs.Fuse.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLog : ILogger
{
    internal ConcurrentQueue<string> Lines { get; } = new();

    internal ConcurrentQueue<Exception> Exceptions { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
        if (exception is not null)
        {
            Exceptions.Enqueue(exception);
        }
    }
}
