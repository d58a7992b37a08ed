using System.Globalization;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>
/// Which local copies hold changes that the store does not have: one mark file per copy. A mark is on disk, its folder too, before the
/// first byte of the copy changes, and is removed only after the store has the change.
/// </summary>
public sealed class CacheJournal
{
    /// <summary>The content may be changing.</summary>
    public const string StateDirty = "dirty";

    /// <summary>All content was synced after the last change.</summary>
    public const string StateSynced = "synced";

    private const string IntentPrefix = "intent-";

    private readonly HashSet<long> _intents = [];

    // Files that say what is over and that the disk did not remove. Its lock is held over their removal, so that none is removed that was written again.
    private readonly HashSet<string> _leftOver = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly TimeProvider _time;

    /// <summary>Uses the journal of a cache folder.</summary>
    public CacheJournal(CacheFolder folder, TimeProvider time)
    {
        _folder = folder.Journal;
        _time = time;
    }

    /// <summary>Whether the disk kept something that is over.</summary>
    public bool HasLeftOver => _leftOver.Count > 0;

    /// <summary>Marks a copy; returns when the mark survives the loss of power.</summary>
    /// <exception cref="ModelException">The mark can't be written; nothing may be changed then, and a copy that was not marked is not.</exception>
    public void Mark(long copyId, string key, string state, DateTimeOffset? since = null, IReadOnlyList<SentArchive>? sent = null)
    {
        var path = PathOf(copyId);
        var wasMarked = Keep(path) && IsMarked(copyId);
        try
        {
            DurableFile.Write(
                path,
                new JournalMark(1, copyId, key, state, since ?? _time.GetUtcNow(), CacheFolder.BootId, sent is { Count: > 0 } ? sent : null),
                CacheJson.Default.JournalMark,
                durable: true);
        }
        catch (ModelException) when (!wasMarked)
        {
            // It may have its name already, and a copy that nobody changes would stay marked.
            Remove(path);
            throw;
        }
    }

    /// <summary>Whether a copy is marked: the last word on whether it may be dropped.</summary>
    public bool IsMarked(long copyId) => File.Exists(PathOf(copyId));

    /// <summary>Removes a copy's mark. A mark that comes back after the loss of power is harmless: its tree equals its base.</summary>
    public void Clear(long copyId) => Remove(PathOf(copyId));

    /// <summary>Removes what a failing disk kept although it is over.</summary>
    public void RemoveLeftOver()
    {
        lock (_leftOver)
        {
            _leftOver.RemoveWhere(path => PosixFile.Unlink(path) is Errno.None or Errno.ENOENT);
        }
    }

    /// <summary>Notes what is about to be done in the store, on the disk when this returns.</summary>
    /// <returns>The intent with its id.</returns>
    /// <exception cref="ModelException">It can't be written; nothing may be done then.</exception>
    public ModelIntent NoteIntent(ModelIntent intent)
    {
        lock (_intents)
        {
            var id = 1L;
            while (!_intents.Add(id))
            {
                id++;
            }

            intent = intent with { Id = id };
        }

        try
        {
            Rewrite(intent);
        }
        catch (ModelException)
        {
            // It may have its name already: whoever asked hears that nothing is done, so the next daemon must not do it.
            EndIntent(intent.Id);
            throw;
        }

        return intent;
    }

    /// <summary>Notes how far an intent is.</summary>
    public void Rewrite(ModelIntent intent)
    {
        var path = IntentPath(intent.Id);
        _ = Keep(path);
        DurableFile.Write(path, intent, CacheJson.Default.ModelIntent, durable: true);
    }

    /// <summary>An intent was carried out or given up.</summary>
    public void EndIntent(long id)
    {
        Remove(IntentPath(id));
        lock (_intents)
        {
            _intents.Remove(id);
        }
    }

    /// <summary>Intents that an earlier daemon left. A torn one was never acted upon.</summary>
    public IReadOnlyList<ModelIntent> ReadIntents()
    {
        var found = new List<ModelIntent>();
        foreach (var path in Directory.EnumerateFiles(_folder, IntentPrefix + "*"))
        {
            if (!path.EndsWith(DurableFile.TemporaryEnding, StringComparison.Ordinal) && DurableFile.Read(path, CacheJson.Default.ModelIntent) is { } intent)
            {
                found.Add(intent);
                lock (_intents)
                {
                    _intents.Add(intent.Id);
                }
            }
        }

        return found;
    }

    /// <summary>All marks. A torn mark still marks its copy: the name says which.</summary>
    public IReadOnlyDictionary<long, JournalMark> ReadAll()
    {
        var marks = new Dictionary<long, JournalMark>();
        foreach (var path in Directory.EnumerateFiles(_folder))
        {
            if (long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                marks[id] = DurableFile.Read(path, CacheJson.Default.JournalMark)
                    ?? new JournalMark(1, id, "", StateDirty, _time.GetUtcNow(), "unknown");
            }
        }

        return marks;
    }

    /// <summary>A file is about to be written.</summary>
    /// <returns>False when what stands there is over.</returns>
    private bool Keep(string path)
    {
        lock (_leftOver)
        {
            return !_leftOver.Remove(path);
        }
    }

    private void Remove(string path)
    {
        lock (_leftOver)
        {
            _leftOver.Add(path);
            RemoveLeftOver();
        }
    }

    private string IntentPath(long id) => Path.Combine(_folder, IntentPrefix + id.ToString(CultureInfo.InvariantCulture));

    private string PathOf(long copyId) => Path.Combine(_folder, copyId.ToString(CultureInfo.InvariantCulture));
}
