namespace ModelFs.FileSystem;

/// <summary>Folds the records of a session log into the fewest that tell the same: what was forgotten or released is left out.</summary>
internal sealed class SessionFold
{
    /// <summary>Far more requests than the kernel can have waiting for an answer at one time, which are all that it can send again.</summary>
    private const int RecentMax = 4096;

    private readonly Dictionary<ulong, SessionRecord> _nodes = [];
    private readonly Dictionary<ulong, SessionRecord> _binds = [];
    private readonly HashSet<ulong> _unlinked = [];
    private readonly Dictionary<ulong, SessionRecord> _opens = [];
    private readonly HashSet<ulong> _cached = [];
    private readonly Queue<SessionRecord> _recent = new();
    private ulong _lastNode;
    private int _resumes;

    /// <summary>Takes the next record of the log.</summary>
    public void Apply(SessionRecord record)
    {
        switch (record.Type)
        {
            case SessionRecordType.Node:
                _nodes[record.First] = record;
                _lastNode = Math.Max(_lastNode, record.First);
                break;
            case SessionRecordType.Forget:
                _nodes.Remove(record.First);
                _binds.Remove(record.First);
                _unlinked.Remove(record.First);
                _lastNode = Math.Max(_lastNode, record.First);
                break;
            case SessionRecordType.Move:
                if (_nodes.TryGetValue(record.First, out var node))
                {
                    _nodes[record.First] = node with { Second = record.Second, Text = record.Text };
                }

                break;
            case SessionRecordType.Unlink:
                _unlinked.Add(record.First);
                break;
            case SessionRecordType.Bind:
                _binds[record.First] = record;
                break;
            case SessionRecordType.Open:
                _opens[record.First] = record;
                break;
            case SessionRecordType.Cached:
                _cached.Add(record.First);
                break;
            case SessionRecordType.Close:
                _cached.Remove(record.First);
                _opens.Remove(record.First);
                break;
            case SessionRecordType.Intent or SessionRecordType.Done:
                _recent.Enqueue(record);
                if (_recent.Count > RecentMax)
                {
                    _recent.Dequeue();
                }

                break;
            case SessionRecordType.Resume:
                _resumes++;
                break;
        }
    }

    /// <summary>The records that are left; a folder stands before what is in it.</summary>
    public IEnumerable<SessionRecord> Records()
    {
        for (var resume = 0; resume < _resumes; resume++)
        {
            yield return new SessionRecord(SessionRecordType.Resume, 0);
        }

        // Ids are never used again, also those of nodes that are gone.
        yield return new SessionRecord(SessionRecordType.Forget, _lastNode);
        foreach (var node in FoldersFirst())
        {
            yield return node;
            if (_binds.TryGetValue(node.First, out var bind))
            {
                yield return bind;
            }

            if (_unlinked.Contains(node.First))
            {
                yield return new SessionRecord(SessionRecordType.Unlink, node.First);
            }
        }

        foreach (var open in _opens.Values)
        {
            yield return open;
            if (_cached.Contains(open.First))
            {
                yield return new SessionRecord(SessionRecordType.Cached, open.First);
            }
        }

        foreach (var recent in _recent)
        {
            yield return recent;
        }
    }

    private IEnumerable<SessionRecord> FoldersFirst()
    {
        var told = new HashSet<ulong>();
        var way = new Stack<SessionRecord>();
        foreach (var node in _nodes.Values)
        {
            for (var each = node; told.Add(each.First);)
            {
                way.Push(each);
                if (!_nodes.TryGetValue(each.Second, out each))
                {
                    break;
                }
            }

            while (way.TryPop(out var next))
            {
                yield return next;
            }
        }
    }
}
