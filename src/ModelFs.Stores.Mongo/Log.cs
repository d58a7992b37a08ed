using Microsoft.Extensions.Logging;

namespace ModelFs.Stores.Mongo;

/// <summary>What the MongoDB store tells its operator.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Store}: {Key} is kept in GridFS, where the original Rasa class does not find it, because the model {Reason}")]
    internal static partial void KeptAsArchive(ILogger logger, string store, string key, string reason);

    [LoggerMessage(2, LogLevel.Warning, "{Store}: what {Key} was before could not be removed yet; the next publish of it does: {Reason}")]
    internal static partial void CleanUpFailed(ILogger logger, string store, string key, string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Store}: there are {Count} documents with the model_name '{Name}'; the first ({Id}) is shown, as Rasa does; remove the others")]
    internal static partial void Duplicates(ILogger logger, string store, int count, string name, string id);

    [LoggerMessage(4, LogLevel.Information, "{Store}: removed {Count} leftovers of publishes that did not finish")]
    internal static partial void Swept(ILogger logger, string store, int count);

    [LoggerMessage(5, LogLevel.Information, "{Store}: leftovers of publishes that did not finish could not be looked for: {Reason}")]
    internal static partial void SweepFailed(ILogger logger, string store, string reason);

    [LoggerMessage(6, LogLevel.Warning, "{Store}: what {Key} was could not be kept: {Reason}")]
    internal static partial void NotKept(ILogger logger, string store, string key, string reason);
}
