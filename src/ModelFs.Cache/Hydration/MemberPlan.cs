namespace ModelFs.Cache.Hydration;

/// <summary>A run of neighbouring members that one request fetches.</summary>
/// <param name="First">The first member.</param>
/// <param name="Count">How many.</param>
/// <param name="ArchiveBytes">Their length in the archive.</param>
/// <param name="Cause">Why it is fetched.</param>
internal readonly record struct MemberRun(int First, int Count, long ArchiveBytes, RunCause Cause);

/// <summary>Why members are fetched.</summary>
internal enum RunCause
{
    /// <summary>The whole model is wanted.</summary>
    Background,

    /// <summary>Their file was opened.</summary>
    Following,

    /// <summary>Somebody waits for them.</summary>
    Asked,
}

/// <summary>
/// What is to be fetched of a model, and in which order: members that somebody waits for, then those of files that were opened, then, if the
/// whole model is wanted, the rest in the order in which its files were opened before and the archive's. Neighbours are joined to long runs.
/// </summary>
/// <remarks>Guarded by the lock of the <see cref="CopyHydration"/> that it belongs to.</remarks>
internal sealed class MemberPlan
{
    /// <summary>The longest run, in bytes of the archive: long enough that a request's round trip does not count, short enough to share its wait.</summary>
    public const long RunBytesMax = 8 << 20;

    private readonly SliceTable _slices;
    private readonly int[] _missing;
    private readonly bool[] _inFlight;
    private readonly bool[] _isAsked;
    private readonly Queue<int> _asked = new();
    private readonly Queue<int> _following = new();
    private readonly bool[] _isFollowing;
    private IReadOnlyList<int> _backgroundOrder = [];
    private int _background;

    public MemberPlan(SliceTable slices, Func<int, bool> isHere)
    {
        _slices = slices;
        var members = slices.Index.Members.Count;
        _missing = new int[members];
        _inFlight = new bool[members];
        _isAsked = new bool[members];
        _isFollowing = new bool[members];
        for (var entry = 0; entry < slices.Index.Entries.Count; entry++)
        {
            var (first, count) = slices.Of(entry);
            for (var slice = 0; slice < count; slice++)
            {
                if (!isHere(first + slice))
                {
                    _missing[slices.Index.Entries[entry].FirstMember + slice]++;
                }
            }
        }
    }

    /// <summary>Whether the whole model is wanted.</summary>
    public bool WantsAll { get; private set; }

    /// <summary>Members that are being fetched, inflated or written.</summary>
    public int InFlight { get; private set; }

    /// <summary>Whether some slice of the member is not here.</summary>
    public bool IsMissing(int member) => _missing[member] > 0;

    /// <summary>Whether the member is being fetched.</summary>
    public bool IsInFlight(int member) => _inFlight[member];

    /// <summary>Somebody waits for the members.</summary>
    public void Ask(int first, int count)
    {
        for (var member = first; member < first + count; member++)
        {
            if (IsMissing(member) && !_isAsked[member] && !_inFlight[member])
            {
                _isAsked[member] = true;
                _asked.Enqueue(member);
            }
        }
    }

    /// <summary>The members belong to a file that is read from its beginning, presumably.</summary>
    public void Follow(int first, int count)
    {
        for (var member = first; member < first + count; member++)
        {
            if (IsMissing(member) && !_isFollowing[member])
            {
                _isFollowing[member] = true;
                _following.Enqueue(member);
            }
        }
    }

    /// <summary>The whole model is wanted; files that were opened earlier than others before come first.</summary>
    public void WantAll(IEnumerable<int> entriesFirst)
    {
        var isListed = new bool[_missing.Length];
        var order = new List<int>(_missing.Length);
        foreach (var entry in entriesFirst)
        {
            var file = _slices.Index.Entries[entry];
            for (var member = file.FirstMember; member < file.FirstMember + file.MemberCount; member++)
            {
                List(member);
            }
        }

        for (var member = 0; member < _missing.Length; member++)
        {
            List(member);
        }

        _backgroundOrder = order;
        _background = 0;
        WantsAll = true;

        void List(int member)
        {
            if (!isListed[member])
            {
                isListed[member] = true;
                order.Add(member);
            }
        }
    }

    /// <summary>The whole model is not wanted any more.</summary>
    public void StopWantingAll() => WantsAll = false;

    /// <summary>Of opened files only that is wanted any more that somebody waits for.</summary>
    public void StopFollowing()
    {
        while (_following.TryDequeue(out var member))
        {
            _isFollowing[member] = false;
        }
    }

    /// <summary>The next run to fetch; its members are in flight from then on.</summary>
    /// <param name="urgent">Whether only what somebody waits for counts.</param>
    /// <param name="background">Whether the whole model may be taken into account.</param>
    /// <param name="mayFetch">What is not to be fetched now, because it failed just before, answers false.</param>
    public MemberRun? Take(bool urgent, bool background, Func<int, bool> mayFetch)
    {
        if (TakeFrom(_asked, _isAsked, RunCause.Asked, mayFetch) is { } asked)
        {
            return asked;
        }

        if (urgent)
        {
            return null;
        }

        if (TakeFrom(_following, _isFollowing, RunCause.Following, mayFetch) is { } following)
        {
            return following;
        }

        if (!background || !WantsAll)
        {
            return null;
        }

        for (var place = _background; place < _backgroundOrder.Count; place++)
        {
            var member = _backgroundOrder[place];
            if (IsFree(member, mayFetch))
            {
                return Run(member, RunCause.Background, next => IsFree(next, mayFetch));
            }

            if (place == _background && !IsMissing(member))
            {
                _background++;
            }
        }

        return null;
    }

    /// <summary>A slice of a member was written.</summary>
    public void NoteWritten(int member) => _missing[member]--;

    /// <summary>A slice of a member was dropped.</summary>
    public void NoteDropped(int member)
    {
        _missing[member]++;
        _background = 0;
    }

    /// <summary>A member is no longer being fetched, whatever came of it.</summary>
    public void NoteLanded(int member)
    {
        if (_inFlight[member])
        {
            _inFlight[member] = false;
            InFlight--;
        }
    }

    private bool IsFree(int member, Func<int, bool> mayFetch) => IsMissing(member) && !_inFlight[member] && mayFetch(member);

    private MemberRun? TakeFrom(Queue<int> queue, bool[] isQueued, RunCause cause, Func<int, bool> mayFetch)
    {
        while (queue.TryDequeue(out var member))
        {
            var wasQueued = isQueued[member];
            isQueued[member] = false;
            if (wasQueued && IsFree(member, mayFetch))
            {
                // Neighbours that are queued, too, come along; their places in the queue are passed over later.
                return Run(member, cause, next => isQueued[next] && IsFree(next, mayFetch), next => isQueued[next] = false);
            }
        }

        return null;
    }

    private MemberRun Run(int first, RunCause cause, Func<int, bool> joins, Action<int>? joined = null)
    {
        var members = _slices.Index.Members;
        _inFlight[first] = true;
        long bytes = members[first].ArchiveBytes;
        var count = 1;
        for (var next = first + 1; next < members.Count && joins(next) && bytes + members[next].ArchiveBytes <= RunBytesMax; next++)
        {
            joined?.Invoke(next);
            _inFlight[next] = true;
            bytes += members[next].ArchiveBytes;
            count++;
        }

        InFlight += count;
        return new MemberRun(first, count, bytes, cause);
    }
}
