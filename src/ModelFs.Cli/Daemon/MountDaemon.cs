using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using ModelFs.Cache;
using ModelFs.Cache.Hydration;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;
using ModelFs.FileSystem;
using ModelFs.Fuse;
using ModelFs.Mount;
using ModelFs.Mount.Keeper;
using ModelFs.Stores;

namespace ModelFs.Cli.Daemon;

/// <summary>
/// Composes and serves one mount: everything is opened and checked first, then the keeper mounts, so there is never a half-mounted folder.
/// A daemon that takes over from one that died skips the checks: its mount exists and must be served.
/// </summary>
internal sealed partial class MountDaemon(IStoreOpener stores) : IMountDaemon
{
    private const int ReaderThreads = 4;
    private static readonly TimeSpan s_firstListingWait = TimeSpan.FromMilliseconds(300);
    private const int ExitFailed = 1;
    private const int ExitPending = 75;

    /// <inheritdoc/>
    public async Task<int> RunAsync(MountSettings settings, CancellationToken cancellationToken)
    {
        using var loggers = DaemonLog.Create(settings.LogLevel);
        var logger = loggers.CreateLogger<MountDaemon>();
        using var keeper = KeeperChannel.FromDescriptor()
            ?? throw CommandException.Usage("there is no keeper on descriptor 3: this command is started by modelfs-keeper; use `modelfs mount`");
        var hello = keeper.ReceiveHello();
        try
        {
            return await ServeAsync(settings, keeper, hello, loggers, logger).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ModelException or StoreException or KeeperException or IOException)
        {
            LogFailed(logger, error.Message);
            if (!hello.IsResumed)
            {
                keeper.Fail(error.Message);
            }

            return ExitFailed;
        }
    }

    private static CacheOptions CacheOptions(MountSettings settings) => new()
    {
        Folder = settings.CacheDirectory,
        BytesMax = settings.CacheBytesMax,
        FreeBytesMin = settings.FreeBytesMin,
        Settle = settings.Settle,
        SettleNew = settings.SettleNew,
        SwitchAfter = settings.SwitchAfter,
        Durability = settings.Durability,
        UnsettledMax = settings.UnsettledMax,
        ListTtl = settings.ListTtl,
        ArchiveStructure = settings.Archive,
        Compression = settings.Compress,
        AllowDelete = settings.AllowDelete,
        ReadOnly = settings.ReadOnly,
        Layout = settings.Layout switch
        {
            RootLayout.Auto => NameLayout.Auto,
            RootLayout.Flat => NameLayout.Flat,
            RootLayout.Project => NameLayout.Project,
        },
        Hydrate = settings.Hydrate switch
        {
            HydrateScope.Model => HydratePolicy.Model,
            HydrateScope.File => HydratePolicy.File,
            HydrateScope.None => HydratePolicy.None,
        },
    };

    /// <summary>Opens the store, or goes on with what is here when the store is only out of reach for now.</summary>
    private static async Task<string?> OpenStoreAsync(IModelStore store, ModelCache cache, ILogger logger)
    {
        try
        {
            await store.OpenAsync(CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        catch (StoreException error) when (error.IsTransient && cache.HasCopies)
        {
            LogOffline(logger, error.Message);
            return $"the store could not be reached at the start: {error.Message}; models that are here are served";
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.ListingDenied)
        {
            // Who may not list may still be allowed to read.
            cache.Catalog.BeginByName(error);
            return null;
        }
    }

    private async Task<int> ServeAsync(MountSettings settings, KeeperChannel keeper, KeeperHello hello, ILoggerFactory loggers, ILogger logger)
    {
        using var folder = CacheFolder.Open(settings.CacheDirectory);
        var address = stores.Parse(settings.Store, "/");
        var limits = new ThrottleOptions(settings.UploadBytesPerSecond, settings.DownloadBytesPerSecond);
        var measured = new MeasuringStore(new ThrottlingStore(stores.Create(address, settings.CreateBucket, settings.CaFile, settings.FetchDeadline, settings.KeepRevisions), limits, TimeProvider.System));
        var store = new RetryingStore(measured, new RetryOptions { Patience = settings.FetchDeadline * 0.8 }, loggers.CreateLogger<RetryingStore>());
        await using var storeOwner = store.ConfigureAwait(false);
        var cache = new ModelCache(folder, store, CacheOptions(settings), TimeProvider.System, loggers.CreateLogger<ModelCache>());
        await using var cacheOwner = cache.ConfigureAwait(false);
        var passthrough = new PassthroughTable(new KeeperBackingFiles(keeper), loggers.CreateLogger<PassthroughTable>());
        var reporter = new StatusReporter(settings, cache, measured, passthrough, hello.KeeperProcessId, TimeProvider.System);
        if (!hello.IsResumed && await OpenStoreAsync(store, cache, logger).ConfigureAwait(false) is { } warning)
        {
            reporter.StartWarnings = [warning];
        }

        await using var proving = new ConditionProving(store, settings.ReadOnly, TimeProvider.System, logger).ConfigureAwait(false);
        cache.Start(resumed: hello.IsResumed);
        if (!hello.IsResumed)
        {
            // So that the first `ls` and `status` know the models, if the store answers at once.
            await Task.WhenAny(cache.Catalog.FirstListing, Task.Delay(s_firstListingWait)).ConfigureAwait(false);
        }

        using var fileSystem = new ModelFileSystem(cache, new FileSystemOptions { ReadOnly = settings.ReadOnly }, reporter.ToBytes, resume: hello.IsResumed,
            new ModelUndo(store, cache, loggers.CreateLogger<ModelUndo>()));
        var adapter = new FuseOperationsAdapter(fileSystem, passthrough, new MountOwner(settings.Uid, settings.Gid), loggers.CreateLogger<FuseOperationsAdapter>());
        using var device = hello.Device ?? keeper.Mount();
        using var session = new FuseSession(device, adapter, new FuseSessionOptions(), loggers.CreateLogger<FuseSession>());
        reporter.Session = session;
        fileSystem.Superseded += inodes => session.Notifier.Prune(inodes);
        fileSystem.WhenHalfChanged(folder => session.Notifier.InvalidateInode(folder, 0, 0));
        await BeginSessionAsync(session, keeper, hello, fileSystem, passthrough, folder).ConfigureAwait(false);

        using var end = new EndSignals();
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        if (hello.IsResumed)
        {
            // Before the first read: what this daemon took itself would be sent again, too, and be done twice.
            await session.Notifier.Resend().ConfigureAwait(false);
        }

        var memory = new IdleMemory();
        await using var memoryOwner = memory.ConfigureAwait(false);
        memory.Start(TimeProvider.System);
        var serving = session.RunAsync(ReaderThreads);
        keeper.Ready(session.Negotiated.CanResend);
        LogServing(logger, settings.MountPoint, settings.StoreDisplay, hello.IsResumed);
        var first = await Task.WhenAny(serving, end.Asked, keeper.Closed).ConfigureAwait(false);
        return await EndAsync(settings, cache, keeper, logger, isUnmounted: first == serving, end.BeginDrain()).ConfigureAwait(false);
    }

    private static async Task BeginSessionAsync(
        FuseSession session, KeeperChannel keeper, KeeperHello hello, ModelFileSystem fileSystem, PassthroughTable passthrough, CacheFolder folder)
    {
        if (hello.IsResumed)
        {
            session.Resume(FuseNegotiated.FromBytes(hello.Saved.Span));
        }
        else
        {
            var negotiated = await session.InitializeAsync().ConfigureAwait(false);
            keeper.Save(negotiated.ToBytes());
        }

        passthrough.Decide(session.Negotiated.IsPassthrough ? null : "the kernel does not offer it (6.9 and later do)", folder.LockPath);
        if (hello.IsResumed)
        {
            foreach (var opened in await fileSystem.InheritAsync().ConfigureAwait(false))
            {
                passthrough.Inherit(opened.Id, opened.IsCached);
            }
        }
    }

    /// <summary>Publishes what is pending, then lets go of the mount.</summary>
    private static async Task<int> EndAsync(
        MountSettings settings, ModelCache cache, KeeperChannel keeper, ILogger logger, bool isUnmounted, CancellationToken impatience)
    {
        var deadline = TimeProvider.System.GetUtcNow() + settings.DrainTimeout;
        await cache.DrainAsync(settings.DrainTimeout, impatience).ConfigureAwait(false);
        if (!isUnmounted && !keeper.Closed.IsCompleted)
        {
            Unmount(keeper, logger);
        }

        // What programs changed between the drain and the unmount.
        var left = deadline - TimeProvider.System.GetUtcNow();
        var pending = await cache.DrainAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, impatience).ConfigureAwait(false);
        cache.Seal();
        foreach (var model in pending)
        {
            LogPending(logger, model.Name.ToString(), WhyPending(model));
        }

        return pending.Count == 0 ? 0 : ExitPending;
    }

    private static string WhyPending(CachedModel model) =>
        model.LastError?.Message
        ?? (model.Move is { } move ? $"{move.Key} is not renamed to {move.NewKey} in the store yet"
            : model.Copy?.AnyWriter is { } path ? $"{path} is open for writing"
            : "it had not settled, or its upload had not ended");

    private static void Unmount(KeeperChannel keeper, ILogger logger)
    {
        try
        {
            keeper.Unmount(lazy: false);
        }
        catch (KeeperException busy)
        {
            LogBusy(logger, busy.Message);
            try
            {
                keeper.Unmount(lazy: true);
            }
            catch (KeeperException error)
            {
                LogFailed(logger, error.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "serving {MountPoint} from {Store} (taken over: {Resumed})")]
    private static partial void LogServing(ILogger logger, string mountPoint, string store, bool resumed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the store can't be reached, models that are here are served: {Reason}")]
    private static partial void LogOffline(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "unmounting lazily: {Reason}")]
    private static partial void LogBusy(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Model} is not published yet, the next mount takes it up: {Reason}")]
    private static partial void LogPending(ILogger logger, string model, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
