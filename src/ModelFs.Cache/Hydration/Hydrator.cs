using System.Buffers;
using Microsoft.Extensions.Logging;
using ModelFs.Archives.Indexed;
using ModelFs.Stores;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// Brings the content of indexed copies here: ranged requests for runs of members, each inflated and verified as soon as it has arrived, and written into the copy's files.
/// </summary>
/// <remarks>
/// What somebody waits for is fetched at once, with requests beyond those of the streams if need be. A whole model streams only with one of the slots that whole fetches
/// use, too. All together hold at most <see cref="MemoryBytesMax"/> of archive in memory.
/// </remarks>
internal sealed partial class Hydrator : IAsyncDisposable
{
    // Enough for the streams of a whole model. More would be more memory that is touched for the first time while somebody waits.
    private const long MemoryBytesMax = 48 << 20;
    private const int UrgentStreams = 2;

    private readonly IModelStore _store;
    private readonly SemaphoreSlim _slots;
    private readonly HydrationRoom _room;
    private readonly CacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<ModelCopy, StoreException, Task> _onRevisionGone;
    private readonly ByteBudget _memory = new(MemoryBytesMax);
    private readonly InflateCrew _crew = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];
    private readonly int _streamsMax;

    /// <summary>Makes it; it works when it is asked to.</summary>
    /// <param name="store">Where archives come from.</param>
    /// <param name="slots">How many models are fetched whole at once.</param>
    /// <param name="room">Room on the cache's disk.</param>
    /// <param name="options">Policy and pauses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">For failures.</param>
    /// <param name="onRevisionGone">Told that the store no longer has the revision of a copy that is not whole.</param>
    public Hydrator(
        IModelStore store, SemaphoreSlim slots, HydrationRoom room, CacheOptions options, TimeProvider time, ILogger logger, Func<ModelCopy, StoreException, Task> onRevisionGone)
    {
        _store = store;
        _slots = slots;
        _room = room;
        _options = options;
        _time = time;
        _logger = logger;
        _onRevisionGone = onRevisionGone;
        _streamsMax = Math.Max(1, store.Traits.ReadStreamsMax);
    }

    /// <summary>A file of which there is more than one piece is here now. Raised outside of every lock.</summary>
    public event Action<ModelCopy, string>? FileCompleted;

    /// <summary>A file was opened: what follows from that is the policy's.</summary>
    public void NoteOpened(ModelCopy copy, CopyHydration hydration, int entry)
    {
        hydration.NoteUse(entry, _time.GetTimestamp());
        if (_options.Hydrate != HydratePolicy.None)
        {
            hydration.Follow(entry);
        }

        if (_options.Hydrate == HydratePolicy.Model && hydration.WantAll(LoadOrder.Read(copy.Folder)))
        {
            Track(() => StreamAsync(copy, hydration));
        }

        Kick(copy, hydration);
    }

    /// <summary>Waits until a range of a file is here.</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    public async Task WaitForAsync(ModelCopy copy, CopyHydration hydration, int entry, long offset, long length, CancellationToken cancellationToken)
    {
        var (first, count) = hydration.Slices.MembersOf(entry, offset, length);
        while (hydration.Ask(entry, first, count, _time.GetUtcNow()) is { } change)
        {
            Kick(copy, hydration);
            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until everything is here.</summary>
    /// <exception cref="ModelException">It can't be had.</exception>
    public async Task WaitForAllAsync(ModelCopy copy, CopyHydration hydration, CancellationToken cancellationToken)
    {
        while (hydration.AskAll(_time.GetUtcNow()) is { } change)
        {
            if (hydration.IsComplete)
            {
                // What made it whole failed on the disk, or has not come to it yet.
                await Task.Run(() => FinishWhole(copy, hydration), cancellationToken).ConfigureAwait(false);
                continue;
            }

            Kick(copy, hydration);
            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Makes a copy of which nothing is missing any more like one that was fetched in one piece.</summary>
    public void FinishWhole(ModelCopy copy, CopyHydration hydration)
    {
        lock (hydration.FinishTurn)
        {
            if (hydration.IsWhole)
            {
                return;
            }

            HollowTree.Finish(copy.Content, hydration.Index.Tree);
            CopyFiles.WriteBase(copy.Folder, CopyFiles.DescribeBase(copy.Content, hydration.Index.Tree), durable: false);
            lock (copy.Model.Gate)
            {
                if (!hydration.NoteWhole())
                {
                    return;
                }

                copy.Hydration = null;
            }
        }

        LogWhole(_logger, copy.Manifest.Key, hydration.BytesTotal);
    }

    /// <summary>Ends all requests; when it returns nothing is written any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task[] running;
        do
        {
            lock (_gate)
            {
                running = [.. _running];
            }

            await Task.WhenAll(running).ConfigureAwait(false);
        }
        while (running.Length > 0);

        await Task.Run(_crew.Dispose).ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>Runs something in the pool that <see cref="DisposeAsync"/> waits for, and that throws nothing.</summary>
    private void Track(Func<Task> work)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            var task = Task.Run(work);
            _running.Add(task);
            _ = task.ContinueWith(
                done =>
                {
                    lock (_gate)
                    {
                        _running.Remove(done);
                    }
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Starts as many requests as there is work and leave for.</summary>
    private void Kick(ModelCopy copy, CopyHydration hydration)
    {
        while (!_stopping.IsCancellationRequested && hydration.Take(_streamsMax, UrgentStreams, _time.GetUtcNow()) is { } run)
        {
            Track(() => FetchAsync(copy, hydration, run));
        }
    }

    /// <summary>Holds a slot while the whole model streams, and gives it up during pauses after failures.</summary>
    private async Task StreamAsync(ModelCopy copy, CopyHydration hydration)
    {
        try
        {
            while (hydration.Streaming(_time.GetUtcNow()).GoesOn)
            {
                await _slots.WaitAsync(_stopping.Token).ConfigureAwait(false);
                DateTimeOffset? pause = null;
                try
                {
                    hydration.HasSlot = true;
                    while (pause is null && hydration.Streaming(_time.GetUtcNow()) is { GoesOn: true } now)
                    {
                        Kick(copy, hydration);
                        pause = hydration.Streaming(_time.GetUtcNow()).PauseUntil;
                        if (pause is null)
                        {
                            await now.Change.WaitAsync(_stopping.Token).ConfigureAwait(false);
                        }
                    }
                }
                finally
                {
                    hydration.HasSlot = false;
                    _slots.Release();
                }

                if (pause - _time.GetUtcNow() is { } left && left > TimeSpan.Zero)
                {
                    await Task.Delay(left, _time, _stopping.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon ends; the next one goes on with the next open.
        }
    }

    /// <summary>One request; each member goes to the crew when its last byte has arrived.</summary>
    private async Task FetchAsync(ModelCopy copy, CopyHydration hydration, MemberRun run)
    {
        var next = run.First;
        var end = run.First + run.Count;
        var wanted = ContentBytes(hydration, next, end);
        long heldMemory = 0;
        long heldRoom = 0;
        try
        {
            await _room.ReserveAsync(copy, wanted, run.Cause != RunCause.Background, _stopping.Token).ConfigureAwait(false);
            heldRoom = wanted;
            await _memory.TakeAsync(run.ArchiveBytes, _stopping.Token).ConfigureAwait(false);
            heldMemory = run.ArchiveBytes;
            var members = hydration.Index.Members;
            var stream = await _store.ReadAsync(hydration.Source, members[next].Offset, run.ArchiveBytes, _stopping.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                for (; next < end; next++)
                {
                    var length = members[next].ArchiveBytes;
                    var bytes = ArrayPool<byte>.Shared.Rent(length);
                    try
                    {
                        await stream.ReadExactlyAsync(bytes.AsMemory(0, length), _stopping.Token).ConfigureAwait(false);
                    }
                    catch
                    {
                        ArrayPool<byte>.Shared.Return(bytes);
                        throw;
                    }

                    var member = next;
                    heldMemory -= length;
                    heldRoom -= ContentBytes(hydration, member, member + 1);
                    _crew.Post((inflater, buffer) => Land(copy, hydration, member, bytes, inflater, buffer));
                }
            }
        }
        catch (Exception error) when (error is StoreException or ModelException or IOException or OperationCanceledException)
        {
            if (error is ModelException { Kind: ModelErrorKind.NoSpace } && run.Cause != RunCause.Asked)
            {
                LogLeft(_logger, hydration.Source.Key, error.Message);
                hydration.NoteLeft(run);
                return;
            }

            if (error is StoreException { Kind: StoreErrorKind.RevisionChanged or StoreErrorKind.NotFound } gone)
            {
                await _onRevisionGone(copy, gone).ConfigureAwait(false);
            }

            Fail(copy, hydration, next, end - next, ModelErrors.From(error, $"cannot fetch a part of {hydration.Source.Key} from {_store.DisplayName}"));
        }
        finally
        {
            _memory.GiveBack(heldMemory);
            _room.Release(heldRoom);
            hydration.NoteStreamEnded();
            Kick(copy, hydration);
        }
    }

    /// <summary>On a thread of the crew: inflates, verifies and writes one member.</summary>
    private void Land(ModelCopy copy, CopyHydration hydration, int member, byte[] bytes, MemberInflater inflater, byte[] buffer)
    {
        var length = hydration.Index.Members[member].ArchiveBytes;
        try
        {
            var slices = inflater.Inflate(hydration.Index, member, bytes.AsMemory(0, length), buffer);
            var isComplete = SliceWriter.Write(copy, hydration, member, slices);
            foreach (var entry in slices.Select(slice => slice.Entry).Distinct())
            {
                if (hydration.Slices.Of(entry).Count > 1 && hydration.IsFileHere(entry))
                {
                    FileCompleted?.Invoke(copy, hydration.Index.Entries[entry].Entry.Path);
                }
            }

            if (isComplete)
            {
                FinishWhole(copy, hydration);
            }
        }
        catch (Exception error)
        {
            Fail(copy, hydration, member, 1, ModelErrors.From(error, $"cannot use a part of {hydration.Source.Key} from {_store.DisplayName}"));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            _memory.GiveBack(length);
            _room.Release(ContentBytes(hydration, member, member + 1));
            Kick(copy, hydration);
        }
    }

    private void Fail(ModelCopy copy, CopyHydration hydration, int first, int count, ModelException reason)
    {
        if (hydration.Ended is null && !_stopping.IsCancellationRequested)
        {
            LogFailed(_logger, reason.Message);
            lock (copy.Model.Gate)
            {
                copy.Model.LastError = reason;
            }
        }

        hydration.NoteFailed(first, count, reason, tries => _time.GetUtcNow() + Backoff.After(tries, _options.BackoffMin, _options.BackoffMax));
    }

    private static long ContentBytes(CopyHydration hydration, int first, int end)
    {
        var members = hydration.Index.Members;
        return members[end - 1].TarEnd - members[first].TarOffset;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Key} is here whole: {Bytes} bytes")]
    private static partial void LogWhole(ILogger logger, string key, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "what nobody asks for of {Key} stays in the store: {Reason}")]
    private static partial void LogLeft(ILogger logger, string key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
