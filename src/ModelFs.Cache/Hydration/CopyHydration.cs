using ModelFs.Archives.Indexed;
using ModelFs.Cache.Posix;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// What of an indexed copy's content is here, what is wanted of it, and who waits for it. The tree itself always stands on disk, so names, sizes, modes and
/// times can be read at any time.
/// </summary>
/// <remarks>
/// Its lock is taken inside of no other but a model's gate, and nothing is called under it but the map's file. While a copy is not whole its tree does not change: the
/// first change of a copy waits until it is.
/// </remarks>
public sealed class CopyHydration
{
    private readonly Lock _gate = new();
    private readonly HydrationMap _map;
    private readonly SliceTable _slices;
    private readonly MemberPlan _plan;
    private readonly Dictionary<string, TreeEntry> _folders;
    private readonly Dictionary<int, (ModelException Error, DateTimeOffset Until)> _failed = [];
    private readonly HashSet<int> _written = [];
    private readonly long[] _lastUse;
    private TaskCompletionSource _pulse = NewPulse();
    private HashSet<int> _dropping = [];
    private HashSet<int> _droppingMembers = [];
    private ModelException? _ended;
    private bool _isWhole;
    private int _streams;

    internal CopyHydration(ArchiveIndex index, StoredObject source, HydrationMap map, bool isWhole)
    {
        Source = source;
        _map = map;
        _slices = new SliceTable(index);
        _plan = new MemberPlan(_slices, map.Has);
        _isWhole = isWhole;
        _lastUse = new long[index.Entries.Count];
        _folders = index.Tree.Where(entry => entry.Type == TreeEntryType.Directory).ToDictionary(entry => entry.Path, StringComparer.Ordinal);
        BytesHere = map.Count == 0 ? 0 : Enumerable.Range(0, index.Entries.Count).Sum(BytesHereOf);
    }

    /// <summary>Whether every file is here, and the copy is like one that was fetched in one piece.</summary>
    public bool IsWhole => Volatile.Read(ref _isWhole);

    /// <summary>Bytes of the files' content that are here.</summary>
    public long BytesHere { get; private set; }

    /// <summary>Bytes of all files.</summary>
    public long BytesTotal => Index.ContentBytes;

    /// <summary>The archive's index.</summary>
    internal ArchiveIndex Index => _slices.Index;

    internal SliceTable Slices => _slices;

    internal HydrationMap Map => _map;

    /// <summary>The revision that the content comes from; nothing of another one is ever mixed in.</summary>
    internal StoredObject Source { get; }

    /// <summary>Failed attempts in a row.</summary>
    internal int Tries { get; private set; }

    /// <summary>Why nothing more comes; null as long as it may.</summary>
    internal ModelException? Ended
    {
        get
        {
            lock (_gate)
            {
                return _ended;
            }
        }
    }

    /// <summary>Whether a fetch slot is held for the whole model.</summary>
    internal bool HasSlot { get; set; }

    /// <summary>Whether the file of that path is here, or is none of the archive.</summary>
    public bool IsHere(string path) => Index.Find(path) is var entry && (entry < 0 || IsFileHere(entry));

    /// <summary>
    /// What a file or folder shows as long as the copy is what the store has, whatever of it is here. Whether its content is here is not asked: it may have come since
    /// the status was read.
    /// </summary>
    /// <param name="path">Relative to the model's folder.</param>
    /// <param name="status">What its file on the cache's disk says.</param>
    public FileStatus Show(string path, FileStatus status)
    {
        if (status.IsFolder)
        {
            return _folders.TryGetValue(path, out var folder)
                ? status with { Mode = FileStatus.TypeFolder | (uint)folder.Mode, ModifiedTime = folder.ModifiedTime }
                : status;
        }

        if (!status.IsFile || Index.Find(path) is not (>= 0 and var entry))
        {
            return status;
        }

        const int blockBytes = 512;
        var file = Index.Entries[entry].Entry;
        return status with
        {
            Mode = FileStatus.TypeFile | (uint)file.Mode,
            Size = file.Size,
            Blocks = status.Size == file.Size ? status.Blocks : (file.Size + blockBytes - 1) / blockBytes,
            ModifiedTime = file.ModifiedTime,
        };
    }

    internal bool IsFileHere(int entry)
    {
        var (first, count) = _slices.Of(entry);
        return count == 0 || (_map.HasAll(first, count) && !Volatile.Read(ref _dropping).Contains(entry));
    }

    /// <summary>Whether all content that stands in these members, of this file, is here.</summary>
    internal bool IsHere(int entry, int firstMember, int memberCount) =>
        memberCount == 0 || (_map.HasAll(_slices.At(entry, firstMember), memberCount) && !Volatile.Read(ref _dropping).Contains(entry));

    /// <summary>Notes which file was used, for the eviction of others.</summary>
    internal void NoteUse(int entry, long time) => Volatile.Write(ref _lastUse[entry], time);

    internal long LastUse(int entry) => Volatile.Read(ref _lastUse[entry]);

    /// <summary>Completes when something changed: a member came, failed, or nothing more comes.</summary>
    /// <param name="entry">The file whose content is wanted.</param>
    /// <param name="firstMember">The first member that is wanted.</param>
    /// <param name="memberCount">How many.</param>
    /// <param name="now">For the pauses after failures.</param>
    /// <returns>Null when the content is here.</returns>
    /// <exception cref="ModelException">It can't be had now.</exception>
    internal Task? Ask(int entry, int firstMember, int memberCount, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (IsHere(entry, firstMember, memberCount))
            {
                return null;
            }

            ThrowIfFailed(firstMember, memberCount, now);
            _plan.Ask(firstMember, memberCount);
            return _pulse.Task;
        }
    }

    /// <summary>As <see cref="Ask"/>, for everything.</summary>
    internal Task? AskAll(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_isWhole)
            {
                return null;
            }

            ThrowIfFailed(0, Index.Members.Count, now);
            _plan.Ask(0, Index.Members.Count);
            return _pulse.Task;
        }
    }

    /// <summary>The rest of an opened file is wanted, soon.</summary>
    internal void Follow(int entry)
    {
        lock (_gate)
        {
            _plan.Follow(Index.Entries[entry].FirstMember, Index.Entries[entry].MemberCount);
        }
    }

    /// <summary>The whole model is wanted.</summary>
    /// <returns>Whether it was not before.</returns>
    internal bool WantAll(IEnumerable<string> order)
    {
        lock (_gate)
        {
            if (_isWhole || _ended is not null || _plan.WantsAll)
            {
                return false;
            }

            _plan.WantAll(order.Select(Index.Find).Where(entry => entry >= 0 && SliceTable.HasContent(Index.Entries[entry].Entry)));
            return true;
        }
    }

    /// <summary>The rest is left where it is until somebody asks for it.</summary>
    internal void StopWantingAll()
    {
        lock (_gate)
        {
            _plan.StopWantingAll();
        }
    }

    /// <summary>How the streaming of the whole model stands.</summary>
    /// <returns>Whether it goes on; what to wait for; and when nothing is under way because all that is left failed just before, until when to pause.</returns>
    internal (bool GoesOn, Task Change, DateTimeOffset? PauseUntil) Streaming(DateTimeOffset now)
    {
        lock (_gate)
        {
            var goesOn = _plan.WantsAll && !_isWhole && _ended is null;
            var pauses = _failed.Where(each => each.Value.Until > now && _plan.IsMissing(each.Key)).Select(each => each.Value.Until);
            return (goesOn, _pulse.Task, _plan.InFlight == 0 ? pauses.Cast<DateTimeOffset?>().Min() : null);
        }
    }

    /// <summary>Takes the next run to fetch, if one more request may be made.</summary>
    internal MemberRun? Take(int streamsMax, int urgentStreams, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_ended is not null || _streams >= streamsMax + urgentStreams)
            {
                return null;
            }

            var run = _plan.Take(urgent: _streams >= streamsMax, background: HasSlot, member => !_droppingMembers.Contains(member) && (!_failed.TryGetValue(member, out var failure) || failure.Until <= now));
            if (run is not null)
            {
                _streams++;
            }

            return run;
        }
    }

    /// <summary>A request ended.</summary>
    internal void NoteStreamEnded()
    {
        lock (_gate)
        {
            _streams--;
        }
    }

    /// <summary>The slices of a member that are still to be written.</summary>
    internal bool Needs(int slice)
    {
        lock (_gate)
        {
            return _ended is null && !_map.Has(slice) && !_written.Contains(slice);
        }
    }

    /// <summary>
    /// Notes that slices of a member stand in their files. A file of which everything does is given its mode and time by <paramref name="finish"/> before it
    /// counts as here.
    /// </summary>
    /// <returns>Whether nothing is missing any more, so that the copy can be made whole.</returns>
    internal bool NoteWritten(int member, IReadOnlyList<(int Entry, int Slice)> written, Action<int> finish)
    {
        lock (_gate)
        {
            foreach (var (entry, slice) in written)
            {
                _written.Add(slice);
                var (first, count) = _slices.Of(entry);
                var isFile = true;
                for (var each = first; each < first + count && isFile; each++)
                {
                    isFile = _written.Contains(each) || _map.Has(each);
                }

                if (isFile)
                {
                    finish(entry);
                }
            }

            _map.Set([.. written.Select(each => each.Slice)]);
            foreach (var (entry, slice) in written)
            {
                _written.Remove(slice);
                _plan.NoteWritten(member);
                BytesHere += _slices.BytesIn(entry, member);
            }

            _plan.NoteLanded(member);
            _failed.Remove(member);
            Tries = 0;
            Pulse();
            return !_isWhole && _map.Count == _map.Slices && _dropping.Count == 0;
        }
    }

    /// <summary>Members that nobody waits for are left in the store: there is no room.</summary>
    internal void NoteLeft(MemberRun run)
    {
        lock (_gate)
        {
            for (var member = run.First; member < run.First + run.Count; member++)
            {
                _plan.NoteLanded(member);
            }

            _plan.StopWantingAll();
            _plan.StopFollowing();
            Pulse();
        }
    }

    /// <summary>Members can't be had for now.</summary>
    internal void NoteFailed(int firstMember, int memberCount, ModelException error, Func<int, DateTimeOffset> until)
    {
        lock (_gate)
        {
            Tries++;
            for (var member = firstMember; member < firstMember + memberCount; member++)
            {
                _failed[member] = (error, until(Tries));
                foreach (var entry in _slices.FilesIn(member))
                {
                    _written.Remove(_slices.At(entry, member));
                }

                _plan.NoteLanded(member);
            }

            Pulse();
        }
    }

    /// <summary>Whether nothing is missing, so that <see cref="Hydrator.FinishWhole"/> may make the copy whole.</summary>
    internal bool IsComplete
    {
        get
        {
            lock (_gate)
            {
                return _map.Count == _map.Slices && _dropping.Count == 0;
            }
        }
    }

    /// <summary>Taken while the copy is made whole.</summary>
    internal Lock FinishTurn { get; } = new();

    /// <summary>Everything is here, and the copy's own files say so.</summary>
    /// <returns>False when something was dropped meanwhile.</returns>
    internal bool NoteWhole()
    {
        lock (_gate)
        {
            if (_map.Count != _map.Slices || _dropping.Count > 0)
            {
                return false;
            }

            Volatile.Write(ref _isWhole, true);
            Pulse();
            return true;
        }
    }

    /// <summary>Nothing more comes: the copy is gone, or the store's revision is.</summary>
    internal void End(ModelException reason)
    {
        lock (_gate)
        {
            _ended ??= reason;
            Pulse();
        }
    }

    /// <summary>
    /// Begins to drop what is here of files, but for those of which some is being fetched: from now on they show what the index says, nobody is given them as they
    /// are, and they are not fetched before the end. The caller holds the model's gate.
    /// </summary>
    /// <returns>What is to go.</returns>
    internal ContentDrop BeginDrop(IReadOnlyList<int> entries)
    {
        lock (_gate)
        {
            var chosen = _ended is not null ? [] : entries.Where(CanDrop).ToList();
            var drop = new ContentDrop(chosen, [.. chosen.SelectMany(SlicesHere)]);
            if (chosen.Count > 0)
            {
                Volatile.Write(ref _dropping, [.. _dropping, .. chosen]);
                _droppingMembers = [.. _dropping.SelectMany(_slices.MembersOf)];
                Volatile.Write(ref _isWhole, false);
                _plan.StopWantingAll();
            }

            return drop;
        }

        bool CanDrop(int entry) => !_dropping.Contains(entry) && SlicesHere(entry).Any() && !_slices.MembersOf(entry).Any(_plan.IsInFlight);
    }

    /// <summary>The map's file could not be written: the files stay.</summary>
    internal void CancelDrop(ContentDrop drop)
    {
        lock (_gate)
        {
            Release(drop);
        }
    }

    /// <summary>The files are empty, and may be fetched again.</summary>
    /// <returns>How many bytes went.</returns>
    internal long EndDrop(ContentDrop drop)
    {
        lock (_gate)
        {
            foreach (var (_, member) in drop.Slices)
            {
                _plan.NoteDropped(member);
            }

            var bytes = BytesIn(drop.Slices);
            BytesHere -= bytes;
            Release(drop);
            return bytes;
        }
    }

    /// <summary>Bytes of a file that are here.</summary>
    internal long BytesHereOf(int entry) => BytesIn(SlicesHere(entry));

    private long BytesIn(IEnumerable<(int Entry, int Member)> slices) => slices.Sum(slice => _slices.BytesIn(slice.Entry, slice.Member));

    private IEnumerable<(int Entry, int Member)> SlicesHere(int entry) =>
        _slices.MembersOf(entry).Where(member => _map.Has(_slices.At(entry, member))).Select(member => (entry, member));

    private void Release(ContentDrop drop)
    {
        Volatile.Write(ref _dropping, [.. _dropping.Except(drop.Entries)]);
        _droppingMembers = [.. _dropping.SelectMany(_slices.MembersOf)];
        Pulse();
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Pulse()
    {
        _pulse.SetResult();
        _pulse = NewPulse();
    }

    private void ThrowIfFailed(int firstMember, int memberCount, DateTimeOffset now)
    {
        if (_ended is { } ended)
        {
            throw ended;
        }

        for (var member = firstMember; _failed.Count > 0 && member < firstMember + memberCount; member++)
        {
            if (_failed.TryGetValue(member, out var failure) && _plan.IsMissing(member))
            {
                if (now < failure.Until)
                {
                    throw failure.Error;
                }

                _failed.Remove(member);
            }
        }
    }
}

/// <summary>Content that is being dropped.</summary>
/// <param name="Entries">The files.</param>
/// <param name="Slices">What was here of them.</param>
internal sealed record ContentDrop(IReadOnlyList<int> Entries, IReadOnlyList<(int Entry, int Member)> Slices);
