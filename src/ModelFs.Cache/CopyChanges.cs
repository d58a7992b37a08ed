using ModelFs.Cache.Hydration;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Changes of local copies: each is announced before its first byte, so that the dirty mark is on the disk by then, and counted until it is over.</summary>
internal sealed class CopyChanges(CacheJournal journal, WritebackQueue queue, CopyReads reads, CacheDiskWatch disk, TimeProvider time)
{
    /// <summary>Announces a change of a copy: returns when the copy's dirty mark is on disk. Every call is followed by one <see cref="End"/>.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="path">What is opened or changed, relative to the model folder; shown to whoever waits for it.</param>
    /// <param name="kind">What the change does.</param>
    /// <param name="cancellationToken">Ends the wait for the content of a copy that is not whole.</param>
    /// <exception cref="ModelException">The mark can't be written, the copy was replaced, or what it lacks can't be had; nothing may be changed then.</exception>
    public ValueTask BeginAsync(ModelCopy copy, string path, ChangeKind kind, CancellationToken cancellationToken)
    {
        var model = copy.Model;
        lock (model.Gate)
        {
            if (copy.IsRetired)
            {
                throw new ModelException(ModelErrorKind.Conflict, $"{model.Name} was replaced by another version meanwhile; open it again");
            }

            if (copy.Hydration is { IsWhole: false } hydration)
            {
                return new ValueTask(BeginWhenWholeAsync(copy, hydration, path, kind, cancellationToken));
            }

            copy.AddWriter(path);
            copy.ChangeVersion++;
            copy.OnlyRemovals &= kind == ChangeKind.Removal;
            if (copy.IsDirty && !copy.IsMarkedSynced)
            {
                return ValueTask.CompletedTask;
            }
        }

        return new ValueTask(Task.Run(() => MarkDirtyAsync(copy, path), CancellationToken.None));
    }

    /// <summary>A change announced by <see cref="BeginAsync"/> is over; the copy begins to settle.</summary>
    public void End(ModelCopy copy, string path) => Over(copy, path, isHandle: false, isClosing: false);

    /// <summary>A file that was announced by <see cref="BeginAsync"/> stays open for writing, until <see cref="Released"/>.</summary>
    public static void Opened(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.WriterHandles++;
        }
    }

    /// <summary>A program began to close an open writer, or wrote again through it.</summary>
    public static void Closing(ModelCopy copy, bool isClosing)
    {
        lock (copy.Model.Gate)
        {
            copy.ClosingHandles += isClosing ? 1 : -1;
        }
    }

    /// <summary>An open writer was released.</summary>
    public void Released(ModelCopy copy, string path, bool isClosing) => Over(copy, path, isHandle: true, isClosing);

    private void Over(ModelCopy copy, string path, bool isHandle, bool isClosing)
    {
        lock (copy.Model.Gate)
        {
            copy.RemoveWriter(path);
            copy.WriterHandles -= isHandle ? 1 : 0;
            copy.ClosingHandles -= isClosing ? 1 : 0;
            copy.ChangeVersion++;
            copy.LastChange = time.GetUtcNow();
        }

        queue.Touch(copy.Model);
    }

    /// <summary>What is changed must not depend on a revision that the store may lose, so all of it comes first.</summary>
    private async Task BeginWhenWholeAsync(ModelCopy copy, CopyHydration hydration, string path, ChangeKind kind, CancellationToken cancellationToken)
    {
        await reads.WaitForAllAsync(copy, hydration, cancellationToken).ConfigureAwait(false);
        await BeginAsync(copy, path, kind, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes a copy the content of a key of which the store has nothing: a change like any other, marked first. The caller has the model's disk turn, or
    /// the model is shown to nobody yet.
    /// </summary>
    /// <exception cref="ModelException">The mark can't be written, or not all of the copy is here.</exception>
    public void MakeNew(ModelCopy copy, string newKey)
    {
        var since = copy.DirtySince ?? time.GetUtcNow();
        if (copy.Hydration is not null)
        {
            throw new ModelException(ModelErrorKind.Busy, $"not all of {copy.Model.Name} is here; try again");
        }

        if (copy.Manifest.Indexed)
        {
            ForgetIndex(copy);
        }

        journal.Mark(copy.Id, newKey, CacheJournal.StateDirty, since);
        var manifest = copy.Manifest with { Key = newKey, BaseRevision = null, BaseLength = 0, BaseModified = default, BaseDigest = null };
        CopyFiles.WriteManifest(copy.Folder, manifest, durable: true);
        lock (copy.Model.Gate)
        {
            copy.Manifest = manifest;
            copy.DirtySince = since;
            copy.IsMarkedSynced = false;
            copy.OnlyRemovals = false;
            copy.Sent = [];
            copy.ChangeVersion++;
            copy.LastChange = time.GetUtcNow();
            if (copy.Model.State == ModelState.Ready)
            {
                copy.Model.MoveTo(ModelState.Dirty);
            }
        }
    }

    /// <summary>From the first change on the index says nothing of the copy any more. On the disk this need not last: what is marked is never taken for indexed.</summary>
    internal static void ForgetIndex(ModelCopy copy)
    {
        var manifest = copy.Manifest with
        {
            Version = CopyManifest.CurrentVersion,
            Indexed = false,
            BootId = copy.Map is { IsUnsynced: false } ? copy.Manifest.BootId : CacheFolder.BootId,
        };
        CopyFiles.WriteManifest(copy.Folder, manifest, durable: false);
        lock (copy.Model.Gate)
        {
            copy.Manifest = manifest;
            copy.Map = null;
        }

        // The index stays: the next archive can be made from the parts of this one.
        HydrationMap.Remove(copy.Folder);
    }

    private async Task MarkDirtyAsync(ModelCopy copy, string path)
    {
        var model = copy.Model;
        try
        {
            await model.DiskTurn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                lock (model.Gate)
                {
                    if (copy.IsDirty && !copy.IsMarkedSynced)
                    {
                        return;
                    }
                }

                if (copy.Manifest.Indexed)
                {
                    ForgetIndex(copy);
                }

                journal.Mark(copy.Id, copy.Manifest.Key, CacheJournal.StateDirty, copy.DirtySince, copy.Sent);
                lock (model.Gate)
                {
                    copy.DirtySince ??= time.GetUtcNow();
                    copy.IsMarkedSynced = false;
                    if (model.State == ModelState.Ready)
                    {
                        model.MoveTo(ModelState.Dirty);
                    }
                }
            }
            finally
            {
                model.DiskTurn.Release();
            }
        }
        catch (Exception error)
        {
            End(copy, path);
            if (error is ModelException { Kind: ModelErrorKind.NoSpace })
            {
                disk.LookSoon();
            }

            throw;
        }
    }
}
