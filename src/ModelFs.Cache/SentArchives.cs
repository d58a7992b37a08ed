using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// Notes in a copy's mark which archives were about to be uploaded. An upload whose answer was lost may have succeeded, and the copy may have
/// changed since: without the note the store's version would look like somebody else's.
/// </summary>
internal sealed class SentArchives(IModelStore store, CacheJournal journal)
{
    /// <summary>Older notes than so many attempts ago are dropped: the mark stays small, and such an upload has long ended.</summary>
    private const int NotesMax = 16;

    /// <summary>Notes an archive before its upload; the note is on the disk when this returns.</summary>
    /// <returns>False when a change began meanwhile; nothing was noted.</returns>
    /// <exception cref="ModelException">The mark can't be written; nothing may be uploaded then.</exception>
    public async Task<bool> NoteAsync(CachedModel model, ModelCopy copy, long version, SentArchive note, CancellationToken cancellationToken)
    {
        await model.DiskTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            IReadOnlyList<SentArchive> notes = [.. copy.Sent.Where(each => each != note && each.BaseRevision == note.BaseRevision).TakeLast(NotesMax - 1), note];
            lock (model.Gate)
            {
                if (copy.ChangeVersion != version)
                {
                    return false;
                }

                copy.Sent = notes;
            }

            Write(copy);
            return true;
        }
        finally
        {
            model.DiskTurn.Release();
        }
    }

    /// <summary>
    /// One of the archives turned out to be what the store has: those that were noted after it are sent over that one. To be called before the copy takes it
    /// for its base, with the disk turn of the copy's model.
    /// </summary>
    /// <exception cref="ModelException">The mark can't be written; nothing may be uploaded then.</exception>
    public void NoteOver(ModelCopy copy, SentArchive arrived, StoredObject stored)
    {
        lock (copy.Model.Gate)
        {
            copy.Sent = [.. copy.Sent, .. copy.Sent.SkipWhile(each => each != arrived).Skip(1).Select(each => each with { BaseRevision = stored.Revision.Value })];
        }

        Write(copy);
    }

    /// <summary>
    /// Whether one of the noted archives took the base's place in the store. A tree that is as the base was again has changed against that one, and must not be taken
    /// for what the store has.
    /// </summary>
    /// <exception cref="StoreException">The store can't be asked.</exception>
    public async Task<bool> HasArrivedAsync(ModelCopy copy, CancellationToken cancellationToken)
    {
        var manifest = copy.Manifest;
        return copy.Sent.Any(note => note.BaseRevision == manifest.BaseRevision)
            && await store.StatAsync(manifest.Key, cancellationToken).ConfigureAwait(false) is { } current
            && current.Revision.Value != manifest.BaseRevision
            && await FindAsync(copy, current, cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>The note of the archive that an object of the store is, if it is one of this copy's.</summary>
    public async Task<SentArchive?> FindAsync(ModelCopy copy, StoredObject stored, CancellationToken cancellationToken)
    {
        var candidates = copy.Sent.Where(note => note.Key == stored.Key && note.Length == stored.Length && note.BaseRevision == copy.Manifest.BaseRevision).ToList();
        if (candidates.Count == 0)
        {
            return null;
        }

        var found = await PackFile.IsAsync(store, stored, copy.Model.Name, [.. candidates.Select(note => note.ArchiveDigest)], cancellationToken).ConfigureAwait(false);
        return candidates.Find(note => note.ArchiveDigest == found);
    }

    private void Write(ModelCopy copy) =>
        journal.Mark(copy.Id, copy.Manifest.Key, copy.IsMarkedSynced ? CacheJournal.StateSynced : CacheJournal.StateDirty, copy.DirtySince, copy.Sent);
}
