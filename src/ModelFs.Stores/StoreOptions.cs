using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ModelFs.Stores;

/// <summary>What a store needs besides its URL; the same for all kinds of stores.</summary>
public sealed record StoreOptions
{
    /// <summary>Whether a missing bucket or folder is created when the store is opened.</summary>
    public bool CreateIfMissing { get; init; } = true;

    /// <summary>A PEM file of the certificate authorities to trust instead of the system's; null for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>What to tell somebody whose server is not trusted.</summary>
    public string TrustAdvice => CaFile is null
        ? "If it was issued by a private authority, name that authority's certificate with --ca-file"
        : $"Only the authorities in {CaFile} are trusted";

    /// <summary>How long a call may go without progress.</summary>
    public StoreDeadlines Deadlines { get; init; } = StoreDeadlines.Default;

    /// <summary>Archives up to this many bytes are uploaded by one request, larger ones in parts, where a store knows the difference.</summary>
    public long SingleUploadBytesMax { get; init; } = 64L << 20;

    /// <summary>How an upload in parts is cut, in bytes, unless the archive needs larger parts; at least 5 MiB for S3.</summary>
    public long UploadPartBytes { get; init; } = 16L << 20;

    /// <summary>
    /// How many replaced or deleted archives of each key a store keeps that must do so itself (<see cref="RevisionKeeping.Copies"/>); 0 for none.
    /// Null, for programs that were not told: one, and where others have kept more, so many.
    /// </summary>
    public int? KeepRevisions { get; init; }

    /// <summary>How many ranged reads or parts of one upload run at once at most.</summary>
    public int StreamsMax { get; init; } = 4;

    /// <summary>Reads one environment variable; null for one that is not set.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where stores log to.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
