using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// The files of a hollow tree come to stand on the cache's disk, one after the other: those of a folder in the order of their names, and those of outer folders first, as they are
/// listed. Its folders and links stand from the start, and what there will be is known; so a listing can follow the making, while everything else waits for its end.
/// </summary>
/// <remarks>A marker beside the content tells the next daemon that files are missing, which it makes then.</remarks>
public sealed class TreeMaking
{
    private readonly IReadOnlyList<TreeEntry> _tree;
    private readonly List<TreeEntry> _files;
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private readonly TaskCompletionSource<string> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _standing;
    private ModelException? _failure;

    private TreeMaking(IReadOnlyList<TreeEntry> tree)
    {
        _tree = tree;
        _files = [.. tree.Where(entry => entry.Type == TreeEntryType.File).OrderBy(entry => entry.Path.AsSpan().Count('/'))];
        for (var place = 0; place < _files.Count; place++)
        {
            _places.Add(_files[place].Path, place);
        }
    }

    /// <summary>Ends when all files stand, or with a <see cref="ModelException"/> when the cache's disk refused.</summary>
    internal Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Whether all files stand.</summary>
    internal bool IsDone => Completion.IsCompletedSuccessfully;

    /// <summary>What a folder will hold, in the order of the tree.</summary>
    /// <param name="folder">Its path below the model's folder.</param>
    public IEnumerable<TreeEntry> EntriesIn(string folder)
    {
        var nameAt = folder.Length == 0 ? 0 : folder.Length + 1;
        return _tree.Where(entry => entry.Path.Length > nameAt
            && (nameAt == 0 || (entry.Path[folder.Length] == '/' && entry.Path.StartsWith(folder, StringComparison.Ordinal)))
            && entry.Path.IndexOf('/', nameAt) < 0);
    }

    /// <summary>Waits until an entry of a folder stands, and with it all that come before it there.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public Task ReachAsync(string path, CancellationToken cancellationToken)
    {
        var count = _places.TryGetValue(path, out var place) ? place + 1 : 0;
        TaskCompletionSource reached;
        lock (_gate)
        {
            if (_failure is not null)
            {
                throw _failure;
            }

            if (_standing >= count)
            {
                return Task.CompletedTask;
            }

            reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((count, reached));
        }

        return reached.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Starts it, in a copy that is still staged: <see cref="NoteCommitted"/> or <see cref="Abandon"/> follows.</summary>
    /// <param name="folder">The copy's folder.</param>
    /// <param name="tree">Its entries, sorted by path.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="IOException">The cache's disk refused.</exception>
    internal static TreeMaking Start(string folder, IReadOnlyList<TreeEntry> tree, CancellationToken stopping)
    {
        var making = new TreeMaking(tree);
        var content = OpenContent(folder);

        // On a thread of its own: what waits for it goes on in the pool, and must not wait there for this thread's turn to end.
        making.Completion = Task.Factory.StartNew(() => making.Run(content, folder, isTakenUp: false, stopping), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return making;
    }

    /// <summary>The copy is at its place.</summary>
    internal void NoteCommitted(string folder) => _committed.SetResult(folder);

    /// <summary>There will be no such copy; returns when nothing is made of it any more.</summary>
    internal void Abandon()
    {
        _committed.TrySetCanceled();
        _ = Task.WaitAny(Completion);
    }

    /// <summary>Notes, in a copy that nobody sees yet, that its files are not made.</summary>
    /// <exception cref="IOException">The cache's disk refused.</exception>
    internal static void Mark(string folder) => DurableFile.Check(PosixFile.MakeNode(MarkerOf(folder), 0x180), "create", MarkerOf(folder));

    /// <summary>Whether a daemon died before all files of a copy stood.</summary>
    internal static bool IsUnfinished(string folder) => PosixFile.Stat(MarkerOf(folder), out _) == Errno.None;

    /// <summary>Makes what the daemon before this one did not come to.</summary>
    /// <returns>False when the cache's disk refused.</returns>
    internal static bool TryFinish(string folder, IReadOnlyList<TreeEntry> tree)
    {
        try
        {
            var making = new TreeMaking(tree);
            making.NoteCommitted(folder);
            making.Run(OpenContent(folder), folder, isTakenUp: true, CancellationToken.None);
            return true;
        }
        catch (ModelException)
        {
            return false;
        }
    }

    private static string MarkerOf(string folder) => folder + "/making";

    private static SafeFileHandle OpenContent(string folder)
    {
        DurableFile.Check(PosixFile.Open(folder + "/content", PosixFile.ReadOnly, 0, out var content), "open", folder + "/content");
        return content;
    }

    private void Run(SafeFileHandle content, string begunIn, bool isTakenUp, CancellationToken stopping)
    {
        var contentPath = begunIn + "/content";
        try
        {
            using (content)
            {
                for (var place = 0; place < _files.Count && !_committed.Task.IsCanceled; place++)
                {
                    stopping.ThrowIfCancellationRequested();
                    HollowTree.MakeFile(content, contentPath, _files[place], mayStand: isTakenUp);
                    NoteStanding(place + 1);
                }
            }

            var folder = _committed.Task.GetAwaiter().GetResult();
            HollowTree.FinishMaking(folder + "/content", _tree);
            DurableFile.Check(PosixFile.Unlink(MarkerOf(folder)), "remove", MarkerOf(folder));
        }
        catch (Exception error)
        {
            var reason = ModelErrors.From(error, $"cannot make the files of {begunIn} in the cache");
            lock (_gate)
            {
                foreach (var (_, reached) in _waiting)
                {
                    reached.TrySetException(reason);
                }

                _waiting.Clear();
                _failure = reason;
            }

            throw reason;
        }
    }

    private void NoteStanding(int count)
    {
        lock (_gate)
        {
            _standing = count;
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_waiting[i].Count <= count)
                {
                    _waiting[i].Reached.TrySetResult();
                    _waiting.RemoveAt(i);
                }
            }
        }
    }
}
