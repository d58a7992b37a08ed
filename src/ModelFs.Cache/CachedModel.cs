using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>One model as the cache knows it: what the store holds of it, and what is here.</summary>
/// <remarks>
/// Everything mutable is guarded by <see cref="Gate"/>. Lock order: <see cref="ModelCache"/>'s table lock, then one model's gate; never two
/// gates at once, and neither is held over I/O to the store.
/// </remarks>
public sealed class CachedModel
{
    /// <summary>Of the publish attempt that is running.</summary>
    private TaskCompletionSource? _publishOver;

    internal CachedModel(ModelName name) => Name = name;

    /// <summary>The model's name; a rename changes it, and everything that belongs to the model stays with it.</summary>
    public ModelName Name { get; internal set; }

    /// <summary>The rename that the store does not have yet.</summary>
    public ModelIntent? Move { get; internal set; }

    /// <summary>Guards this object and its copies.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>What the last listing or publish said of it; null when the store has none.</summary>
    internal StoredObject? Stored { get; private set; }

    /// <summary>The store's revision; null when the store has none.</summary>
    public string? StoredRevision => Stored?.Revision.Value;

    /// <summary>Length of the store's archive in bytes; 0 when there is none.</summary>
    public long StoredLength => Stored?.Length ?? 0;

    /// <summary>The store's time of it; null when there is none.</summary>
    public DateTimeOffset? StoredModified => Stored?.LastModified;

    /// <summary>When <see cref="Stored"/> was last learned from the object itself, as a timestamp of the cache's time provider.</summary>
    private long StoredAt { get; set; } = long.MinValue;

    /// <summary>Whether a look-up, a publish or a delete ever told what the store has of it. The caller holds the gate.</summary>
    internal bool IsStoredKnown => StoredAt != long.MinValue;

    /// <summary>Whether there are changes here that the store does not have.</summary>
    public bool HasLocalChanges
    {
        get
        {
            lock (Gate)
            {
                return IsPublishing || Copy is { IsDirty: true };
            }
        }
    }

    /// <summary>The current local copy, if there is one.</summary>
    public ModelCopy? Copy { get; internal set; }

    /// <summary>Grows each time the folder leads to another tree; the folder's inode number follows from it.</summary>
    public int Incarnation { get; internal set; }

    /// <summary>Where it stands.</summary>
    public ModelState State { get; private set; } = ModelState.Absent;

    /// <summary>Archive bytes received of a fetch under way, or sent of a publish.</summary>
    public long ProgressBytes => Interlocked.Read(ref ProgressField);

    /// <summary>Failed attempts in a row.</summary>
    public int Tries { get; internal set; }

    /// <summary>The last failure; null after a success.</summary>
    public ModelException? LastError { get; internal set; }

    /// <summary>Before this time a failed fetch or publish is not tried again by itself.</summary>
    public DateTimeOffset NextTryAt { get; internal set; }

    /// <summary>The fetch under way, shared by all who wait.</summary>
    internal ModelFetch? Fetch { get; set; }

    /// <summary>Completed by the next publish attempt that began after it was set, with that attempt's outcome.</summary>
    internal TaskCompletionSource<PublishOutcome>? NextOutcome { get; set; }

    /// <summary>Whether the next publish is due now, whatever the settling times say.</summary>
    internal bool IsForced { get; set; }

    /// <summary>Whether the next publish is asked for by closes that wait for it, so that files which are being closed do not hold it up.</summary>
    internal bool IsForcedByClose { get; set; }

    /// <summary>The same of the attempt that is running.</summary>
    internal bool IsPublishedAtClose { get; set; }

    /// <summary>Whether a publish attempt is running.</summary>
    internal bool IsPublishing => _publishOver is not null;

    /// <summary>Ends with the publish attempt that is running; ended when none is.</summary>
    internal Task PublishOver => _publishOver?.Task ?? Task.CompletedTask;

    /// <summary>Takes the last word of the store that came while a publish attempt was running.</summary>
    private Func<bool>? HeldBack { get; set; }

    /// <summary>Whether the model is being removed or renamed: no publish begins, which would be one of the old name.</summary>
    internal bool IsNameChanging { get; set; }

    /// <summary>The removal that an earlier daemon began and this one finishes.</summary>
    internal Task RemovalTakenUp { get; set; } = Task.CompletedTask;

    /// <summary>Serialises what writes this model's mark and manifest.</summary>
    internal SemaphoreSlim DiskTurn { get; } = new(1, 1);

    /// <summary>Backing field of <see cref="ProgressBytes"/>, written by the pipeline's threads.</summary>
#pragma warning disable CA1051, SA1401 // A field, for Interlocked.
    internal long ProgressField;
#pragma warning restore CA1051, SA1401

    /// <summary>Moves to another state.</summary>
    /// <exception cref="InvalidOperationException">The state table has no such step.</exception>
    internal void MoveTo(ModelState next)
    {
        if (next != State)
        {
            if (!ModelStates.CanFollow(State, next))
            {
                throw new InvalidOperationException($"model {Name}: no step leads from {State} to {next}");
            }

            State = next;
        }
    }

    /// <summary>A publish attempt begins: what listings say of the model meanwhile may be what the attempt itself makes. The caller holds the gate.</summary>
    internal void BeginPublishing() => _publishOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The attempt is over. The caller holds the gate.</summary>
    /// <returns>Whether the store's word that came meanwhile, unless the attempt learned something newer, changed the revision.</returns>
    internal bool EndPublishing()
    {
        _publishOver?.SetResult();
        _publishOver = null;
        var take = HeldBack;
        HeldBack = null;
        return take?.Invoke() ?? false;
    }

    /// <summary>Notes what a look-up, a publish or a delete said of the store's object. The caller holds the gate.</summary>
    internal void NoteStored(StoredObject? stored, long timestamp)
    {
        Stored = stored;
        StoredAt = timestamp;
    }

    /// <summary>Takes a look-up's word as <see cref="TakeListed"/> takes a listing's.</summary>
    /// <returns>Whether the revision changed, or was not known before.</returns>
    internal bool TakeLookedUp(StoredObject? found, long startedAt)
    {
        lock (Gate)
        {
            if (IsPublishing)
            {
                HeldBack = () => TakeLookedUp(found, startedAt);
                return false;
            }

            if (StoredAt > startedAt)
            {
                return false;
            }

            var isNews = !IsStoredKnown || Stored?.Revision != found?.Revision;
            NoteStored(found, startedAt);
            return isNews;
        }
    }

    /// <summary>Takes a listing's word, unless something newer was learned after the listing began; during a publish attempt once that is over.</summary>
    /// <returns>Whether the revision changed.</returns>
    internal bool TakeListed(StoredObject? listed, long listingStartedAt)
    {
        lock (Gate)
        {
            if (IsPublishing)
            {
                HeldBack = () => TakeListed(listed, listingStartedAt);
                return false;
            }

            if (StoredAt > listingStartedAt || Stored?.Revision == listed?.Revision)
            {
                return false;
            }

            Stored = listed;
            return true;
        }
    }
}
