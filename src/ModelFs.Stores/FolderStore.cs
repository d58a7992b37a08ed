using System.Buffers;
using System.Runtime.CompilerServices;
using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>A folder whose files are the objects: the embedded default.</summary>
/// <remarks>
/// A publish writes a hidden file beside the others, makes it durable and renames it, so that readers and other programs see the old
/// archive or the new one. Other programs may copy archives into the folder: a reader of a file that is written to meanwhile gets
/// <see cref="StoreErrorKind.RevisionChanged"/>. Objects are the regular files directly in the folder; subfolders are not looked into.
/// Look-ups end after the deadline without progress even on a network file system that hangs; reads of an open file wait as long as
/// the file system does.
/// </remarks>
public sealed class FolderStore : IModelStore
{
    private const int CopyBytes = 1 << 20;

    private readonly string _folder;
    private readonly StoreOptions _options;
    private readonly FolderPublishGate _gate;
    private readonly FolderKeeper _keeper;

    /// <summary>Makes the store; <see cref="OpenAsync"/> creates a missing folder.</summary>
    /// <param name="folder">An absolute path.</param>
    /// <param name="options">How to behave.</param>
    public FolderStore(string folder, StoreOptions options)
    {
        _folder = folder;
        _options = options;
        _gate = new FolderPublishGate(folder, options);
        _keeper = new FolderKeeper(folder, options);
        History = new FolderHistory(this, _keeper, options.KeepRevisions ?? 1);
    }

    /// <inheritdoc/>
    public string DisplayName => "file://" + _folder;

    /// <inheritdoc/>
    /// <remarks>
    /// Creation is atomic once <see cref="OpenAsync"/> saw the file system refuse to replace. Replacing and deleting look first, under
    /// a lock that all ModelFs publishers of the folder take but other programs do not.
    /// </remarks>
    public StoreTraits Traits => new(
        _gate.CreationBy == FolderPublishGate.Creation.CheckedBefore ? ConditionSupport.CheckedBefore : ConditionSupport.Atomic,
        ConditionSupport.CheckedBefore,
        ConditionSupport.CheckedBefore,
        long.MaxValue,
        ReadStreamsMax: 1)
    {
        IsLocal = true,
        Keeping = RevisionKeeping.Copies,
    };

    /// <inheritdoc/>
    public IObjectHistory? History { get; }

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            if (File.Exists(_folder))
            {
                throw new StoreException(StoreErrorKind.Misconfigured, $"{_folder} is a file; a folder store needs a folder");
            }

            if (!Directory.Exists(_folder))
            {
                Create();
            }

            using (var names = Directory.EnumerateFileSystemEntries(_folder).GetEnumerator())
            {
                names.MoveNext();
            }

            _gate.Probe();
            _keeper.Probe(_gate.NewPartialPath);
            _gate.RemoveLeftovers();
            return true;
        },
        "opening",
        _folder,
        cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var objects = await RunAsync(() => List(cancellationToken), "listing", _folder, cancellationToken).ConfigureAwait(false);
        foreach (var found in objects)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return found;
        }
    }

    /// <inheritdoc/>
    public async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) =>
        IsFileName(key) ? await RunAsync(() => Stat(key), "looking up", PathOf(key), cancellationToken).ConfigureAwait(false) : null;

    /// <inheritdoc/>
    public Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        return RunAsync(() => OpenRead(source, offset, length), "reading", PathOf(source.Key), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
        PublishAsync(key, content, condition, retention: null, cancellationToken);

    /// <summary>Publishes, and keeps so many of what was there before; null for as many as usual.</summary>
    internal async Task<StoredObject> PublishAsync(
        string key, IPublishContent content, PublishCondition condition, FolderKeeper.Retention? retention, CancellationToken cancellationToken)
    {
        if (!IsFileName(key) || key.StartsWith(FolderPublishGate.OwnPrefix, StringComparison.Ordinal))
        {
            throw new StoreException(StoreErrorKind.Rejected, $"'{key}' can't be the name of a file in {_folder}");
        }

        var path = PathOf(key);
        var partial = _gate.NewPartialPath();
        try
        {
            await RunAsync(() => Require(key, condition), "looking up", path, cancellationToken).ConfigureAwait(false);
            await WriteAsync(partial, content, cancellationToken).ConfigureAwait(false);
            using (await _gate.EnterAsync(cancellationToken).ConfigureAwait(false))
            {
                var stored = await RunAsync(() => GiveName(key, partial, path, condition, retention ?? _keeper.Usual(key)), "publishing", path, CancellationToken.None).ConfigureAwait(false);
                _gate.RemoveLeftovers();
                _keeper.SweepNowAndThen();
                return stored;
            }
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            throw FolderErrors.From(exception, "publishing", path);
        }
        finally
        {
            FolderPublishGate.TryDelete(partial);
        }
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        if (!IsFileName(key))
        {
            return;
        }

        try
        {
            using (await _gate.EnterAsync(cancellationToken).ConfigureAwait(false))
            {
                await RunAsync(() => Delete(key, ifRevision), "deleting", PathOf(key), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            throw FolderErrors.From(exception, "deleting", PathOf(key));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal static StoreException Changed(string path) =>
        new(StoreErrorKind.RevisionChanged, $"{path} was replaced or written to since it was looked up");

    internal static bool IsFileName(string key) => key.Length > 0 && key is not ("." or "..") && key.AsSpan().IndexOfAny('/', '\0') < 0;

    private string PathOf(string key) => Path.Combine(_folder, key);

    private void Create()
    {
        if (!_options.CreateIfMissing)
        {
            throw new StoreException(StoreErrorKind.NotFound, $"{_folder} does not exist, and creating it was refused; create it with: mkdir -p '{_folder}'");
        }

        Directory.CreateDirectory(_folder);
    }

    private List<StoredObject> List(CancellationToken cancellationToken)
    {
        var objects = new List<StoredObject>();
        foreach (var path in Directory.EnumerateFiles(_folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = Path.GetFileName(path);
            if (!key.StartsWith(FolderPublishGate.OwnPrefix, StringComparison.Ordinal) && Stat(key) is { } found)
            {
                objects.Add(found);
            }
        }

        return objects;
    }

    private StoredObject? Stat(string key)
    {
        var errno = FileIdentity.TryGet(PathOf(key), out var identity);
        return errno switch
        {
            0 => identity.IsRegularFile ? new StoredObject(key, identity.Revision, identity.Length, identity.LastModified) : null,
            Interop.ENOENT or Interop.ENOTDIR when !Directory.Exists(_folder) =>
                throw new StoreException(StoreErrorKind.Unavailable, $"{_folder} is not there; mount or create it again"),
            Interop.ENOENT or Interop.ENOTDIR or Interop.ELOOP or Interop.ENAMETOOLONG => null,
            _ => throw FolderErrors.Of(errno, "looking up", PathOf(key)),
        };
    }

    private Stream OpenRead(StoredObject source, long offset, long length)
    {
        var path = PathOf(source.Key);
        if (Stat(source.Key)?.Revision != source.Revision)
        {
            throw Changed(path);
        }

        return Open(path, source.Revision, offset, length);
    }

    /// <summary>Opens a file that must be at a revision, and stay there.</summary>
    internal static Stream Open(string path, StoreRevision revision, long offset, long length)
    {
        var file = File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan, share: FileShare.ReadWrite | FileShare.Delete);
        if (FileIdentity.TryGet(file, out var opened) != 0 || opened.Revision != revision)
        {
            file.Dispose();
            throw Changed(path);
        }

        return new FolderReadStream(file, path, revision, offset, length);
    }

    private static async Task WriteAsync(string partial, IPublishContent content, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            using var file = File.OpenHandle(partial, FileMode.CreateNew, FileAccess.Write, FileShare.Read, FileOptions.Asynchronous);
            var writer = new ArchiveWriter(file);
            var source = content.OpenRead(0, content.Length);
            await using (source.ConfigureAwait(false))
            {
                long written = 0;
                int read;
                while ((read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                {
                    await writer.WriteAsync(buffer.AsMemory(0, read), written, cancellationToken).ConfigureAwait(false);
                    written += read;
                }

                if (written != content.Length)
                {
                    throw new StoreException(StoreErrorKind.Rejected, $"the archive to publish delivered {written} bytes instead of {content.Length}; nothing was published");
                }
            }

            await Task.Run(() => RandomAccess.FlushToDisk(file), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private StoredObject GiveName(string key, string partial, string path, PublishCondition condition, FolderKeeper.Retention retention)
    {
        Require(key, condition);
        if (!condition.MustBeAbsent)
        {
            _keeper.Replace(key, partial, path, retention);
        }
        else if (!_gate.TryCreate(partial, path))
        {
            throw Unmet(path, condition);
        }
        else
        {
            _keeper.Prune(key, retention);
        }

        _gate.SyncFolder();
        return Stat(key) ?? throw Changed(path);
    }

    private bool Delete(string key, StoreRevision? ifRevision)
    {
        if (Stat(key) is { } current)
        {
            if (ifRevision is { } wanted && current.Revision != wanted)
            {
                throw Unmet(PathOf(key), PublishCondition.Matches(wanted));
            }

            _keeper.Delete(key, PathOf(key));
            _gate.SyncFolder();
            _keeper.SweepNowAndThen();
        }

        return true;
    }

    /// <summary>Checks a condition by a look-up.</summary>
    private bool Require(string key, PublishCondition condition)
    {
        if (condition == PublishCondition.None)
        {
            return true;
        }

        var current = Stat(key);
        var holds = condition.MustBeAbsent ? current is null : current?.Revision == condition.Revision;
        return holds ? true : throw Unmet(PathOf(key), condition);
    }

    private static StoreException Unmet(string path, PublishCondition condition) => new(
        StoreErrorKind.PreconditionFailed,
        condition.MustBeAbsent ? $"{path} exists already" : $"{path} is not at revision {condition.Revision} any more");

    /// <summary>Runs calls that may block on a pool thread, and stops waiting for them after the deadline.</summary>
    internal async Task<T> RunAsync<T>(Func<T> call, string doing, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(call, cancellationToken).WaitAsync(_options.Deadlines.NoProgress, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            throw new StoreException(StoreErrorKind.Unavailable, $"{doing} {path}: the file system has not answered for {_options.Deadlines.NoProgress.TotalSeconds} s", exception);
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            throw FolderErrors.From(exception, doing, path);
        }
    }
}
