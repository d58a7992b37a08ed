using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ModelFs.Cli.Daemon;

/// <summary>The daemon's log: one line per event on standard error, which the keeper leads to the log file.</summary>
internal static class DaemonLog
{
    /// <summary>Makes the loggers.</summary>
    public static ILoggerFactory Create(LogLevel level) => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(level)
        .AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace)
        .AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            options.ColorBehavior = LoggerColorBehavior.Disabled;
        }));
}
