using ModelFs.Archives;
using ModelFs.Cache.Hydration;

namespace ModelFs.Cache;

/// <summary>How a cache behaves. The defaults are those of <c>modelfs mount</c>.</summary>
public sealed record CacheOptions
{
    /// <summary>The folder that holds everything; one daemon at a time.</summary>
    public required string Folder { get; init; }

    /// <summary>Bytes that models may take up here; beyond it the least recently used clean ones go. Null: no limit but <see cref="FreeBytesMin"/>.</summary>
    public long? BytesMax { get; init; }

    /// <summary>Bytes of the disk that a fetch leaves free.</summary>
    public long FreeBytesMin { get; init; } = 256L << 20;

    /// <summary>How long a known model rests after its last writer closed before it is published.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a new model without a <c>metadata.json</c> rests before it is published.</summary>
    public TimeSpan SettleNew { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a change that only removes files rests before it is published.</summary>
    public TimeSpan SettleRemoval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How old the listing of the store may get before it is read again.</summary>
    public TimeSpan ListTtl { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a model must have had no open file before a newer revision of the store takes its place.</summary>
    public TimeSpan SwitchAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The first pause after a failed fetch or publish; doubled each time.</summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause after a failed fetch or publish.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What closing a changed file promises.</summary>
    public Durability Durability { get; init; }

    /// <summary>How long a model may have changes that can't be published because programs keep it open, before that is told.</summary>
    public TimeSpan UnsettledMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Models fetched at once.</summary>
    public int FetchesMax { get; init; } = 4;

    /// <summary>Files and folders of all models of which not all is here: each has a name on the disk and some 500 bytes of memory.</summary>
    public int ListedEntriesMax { get; init; } = 250_000;

    /// <summary>Models packed and uploaded at once.</summary>
    public int PublishesMax { get; init; } = 2;

    /// <summary>How much of an indexed model is fetched once a file of it is used.</summary>
    public HydratePolicy Hydrate { get; init; } = HydratePolicy.Model;

    /// <summary>Of how many pieces a published archive is made.</summary>
    public ArchiveStructure ArchiveStructure { get; init; }

    /// <summary>What of a published archive is compressed.</summary>
    public PackCompression Compression { get; init; }

    /// <summary>Whether models can be deleted in the store by removing their folder.</summary>
    public bool AllowDelete { get; init; }

    /// <summary>Whether nothing may be changed.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>What a new folder in the root is.</summary>
    public NameLayout Layout { get; init; } = NameLayout.Auto;
}

/// <summary>What closing a changed file promises.</summary>
public enum Durability
{
    /// <summary>It is in the cache, and its model is marked; the store gets it when the model has settled.</summary>
    Local,

    /// <summary>The store has it, or the close fails with the reason.</summary>
    Remote,
}

/// <summary>What a new folder in the root of the mount is.</summary>
public enum NameLayout
{
    /// <summary>A project if every model of the store belongs to one, otherwise a model. Decided once, from the first listing.</summary>
    Auto,

    /// <summary>A model.</summary>
    Flat,

    /// <summary>A project, whose subfolders are models.</summary>
    Project,
}
