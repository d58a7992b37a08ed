using System.Text;
using ModelFs.Archives.Deflate;
using ModelFs.Cache;
using ModelFs.Cli.Mounting;
using ModelFs.Cli.Status;
using ModelFs.Fuse;
using ModelFs.Models;
using ModelFs.Mount;
using ModelFs.Stores;

namespace ModelFs.Cli.Daemon;

/// <summary>Makes the content of <c>/.modelfs/status.json</c> from what the daemon's parts say at that moment.</summary>
internal sealed class StatusReporter(
    MountSettings settings, ModelCache cache, MeasuringStore store, PassthroughTable passthrough, int keeperPid, TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    /// <summary>The session, once there is one.</summary>
    public FuseSession? Session { get; set; }

    /// <summary>What the operator should know since the start.</summary>
    public IReadOnlyList<string> StartWarnings { get; set; } = [];

    /// <summary>The report on the mount, or on one model, as UTF-8 JSON with a final line feed.</summary>
    public byte[] ToBytes(CachedModel? model) => Encoding.UTF8.GetBytes((model is null ? Report().ToJson() : Describe(model).ToJson()) + "\n");

    private static ConflictStatus Describe(ModelCopy conflict)
    {
        string? beside = null;
        try
        {
            beside = ModelCache.NameBeside(conflict).ToString();
        }
        catch (ModelException)
        {
            // No name can be made; the other two ways to decide are left.
        }

        return new ConflictStatus(conflict.Manifest.ConflictName!, conflict.Model.Name.ToString(), conflict.ContentBytes, beside);
    }

    private ModelStatus Describe(CachedModel model)
    {
        var copy = model.Copy;
        var moving = model.State is ModelState.Fetching or ModelState.Publishing;
        return new ModelStatus
        {
            Name = model.Name.ToString(),
            State = StateOf(model),
            Bytes = copy?.ContentBytes ?? model.StoredLength,
            BytesHere = copy?.BytesHere ?? 0,
            Files = copy?.Manifest.Files ?? 0,
            LocalRevision = copy?.Manifest.BaseRevision,
            StoreRevision = model.StoredRevision,
            OpenFiles = copy?.OpenFiles ?? 0,
            OpenWriters = copy?.OpenWriters ?? 0,
            DirtySince = copy is { IsEmptied: false } ? copy.DirtySince : null,
            Tries = model.Tries,
            LastError = model.LastError?.Message,
            Pinned = cache.Pins.IsPinned(model.Name),
            NeedsReview = copy is { NeedsReview: true },
            NextTryAt = model.NextTryAt == default ? null : model.NextTryAt,
            ProgressBytes = moving ? model.ProgressBytes : 0,
            TotalBytes = moving ? model.StoredLength : 0,
        };
    }

    private static string StateOf(CachedModel model) =>
        model.Copy is { IsEmptied: true } ? ModelStatus.Emptied
        : model is { Copy: null, State: ModelState.Absent, LastError.Kind: ModelErrorKind.Conflict } ? ModelStatus.NameOf(ModelState.Conflicted)
        : ModelStatus.NameOf(model.State);

    private static string NameOf(ConditionSupport support) => support switch
    {
        ConditionSupport.Atomic => "atomic",
        ConditionSupport.Unproven => "unproven",
        ConditionSupport.CheckedBefore => "checked-before",
    };

    private StatusReport Report()
    {
        var models = cache.Catalog.Snapshot();
        var traits = store.Traits;
        return new StatusReport
        {
            Store = settings.StoreDisplay,
            MountPoint = settings.MountPoint,
            CacheDir = settings.CacheDirectory,
            DaemonPid = Environment.ProcessId,
            KeeperPid = keeperPid,
            StartedAt = _startedAt,
            ReadOnly = settings.ReadOnly,
            Passthrough = new PassthroughStatus(passthrough.WhyOff is null, passthrough.WhyOff),
            CanResume = Session?.Negotiated.CanResend ?? false,
            Inflate = DeflateCodec.Name,
            Durability = settings.Durability == Durability.Remote ? "remote" : "local",
            Conditions = new ConditionStatus(NameOf(traits.CreateCondition), NameOf(traits.ReplaceCondition), NameOf(traits.DeleteCondition), NameOf(traits.InPartsCondition ?? traits.ReplaceCondition)),
            Cache = new CacheStatus(cache.ContentBytes, settings.CacheBytesMax, models.Count(model => model.Copy is not null)),
            Requests = Counters(),
            Warnings = Warnings(),
            Conflicts = [.. cache.Conflicts.Select(Describe)],
            Models = [.. models.Select(Describe)],
        };
    }

    private Dictionary<string, long> Counters()
    {
        var measured = store.Measurements;
        var counters = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["store.list"] = measured.Listings,
            ["store.stat"] = measured.LookUps,
            ["store.read"] = measured.Reads,
            ["store.publish"] = measured.Publishes,
            ["store.delete"] = measured.Deletes,
            ["store.bytes_in"] = measured.BytesRead,
            ["store.bytes_out"] = measured.BytesPublished,
            ["store.errors"] = measured.Errors,
        };
        foreach (var operation in Session?.GetStatistics() ?? [])
        {
            if (operation.Count > 0)
            {
                counters["fuse." + operation.Name.ToLowerInvariant()] = operation.Count;
            }
        }

        return counters;
    }

    private string? Unsettled(CachedModel model) =>
        model is { State: not ModelState.Failed, Copy: { DirtySince: { } since, NeedsReview: false, IsEmptied: false } copy } && time.GetUtcNow() - since >= settings.UnsettledMax
            ? $"{model.Name} has had changes for {DisplayText.Duration(time.GetUtcNow() - since)} that are not published: {(copy.AnyWriter is { } writer ? writer + " is open for writing" : "it is changed again and again")}"
            : null;

    private List<string> Warnings()
    {
        var warnings = new List<string>(StartWarnings);
        warnings.AddRange(cache.Catalog.Clashes);
        warnings.AddRange(cache.Conflicts.Select(copy => $"conflict: a version of {copy.Model.Name} that lost against the store is kept as .modelfs/conflicts/{copy.Manifest.ConflictName}; `modelfs resolve` decides which one stays"));
        warnings.AddRange(cache.Pending.Select(Unsettled).OfType<string>());
        if (cache.DiskWarning is { } full)
        {
            warnings.Add(full);
        }

        if (cache.Catalog.ListingDenied is { } denial)
        {
            warnings.Add($"the store may not be listed: {denial.Message}. Models are looked up by their names, and listings show only those that were asked for{(settings.Layout == RootLayout.Project ? "" : "; models of projects take --layout project")}");
        }

        if (cache.Catalog.LastError is { } error)
        {
            warnings.Add($"the store can't be listed: {error.Message}");
        }

        return warnings;
    }
}
