using System.Globalization;
using System.Text;
using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>The extended attributes: where a model stands, and what is asked of it by setting one.</summary>
/// <remarks>
/// The kernel locks an inode while an attribute of it is set, and with a folder all look-ups in it that are not cached. So what may take long is
/// taken by the files in <c>/.modelfs</c> too: for one model by <c>models/NAME.json</c>, for the whole mount by <c>status.json</c>.
/// </remarks>
internal sealed class ModelXattrs(ModelCache cache)
{
    private const string UserSpace = "user.";
    private const string Prefix = UserSpace + "modelfs.";

    private volatile string? _lastFailure;

    /// <summary>Names that a model's folder lists; not <c>sync</c>, which a copying tool would set on the copy. All with the prefix <c>user.modelfs.</c>.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Prefix + "state", Prefix + "revision", Prefix + "progress", Prefix + "pinned", Prefix + "last_error"];

    /// <summary>Reads one; the root has only the last failure of what was asked for by setting one.</summary>
    /// <remarks>
    /// Other name spaces than <c>user</c> are not supported, rather than empty: <c>ls -l</c> asks every file for its security label and its access list,
    /// each a request to the daemon, until a file system says that it has none.
    /// </remarks>
    public FsResult<byte[]> Get(Inode inode, string name)
    {
        if (!name.StartsWith(UserSpace, StringComparison.Ordinal))
        {
            return Errno.ENOTSUP;
        }

        if (inode.Kind == InodeKind.Root && name == Prefix + "last_error" && _lastFailure is { } failure)
        {
            return Encoding.UTF8.GetBytes(failure);
        }

        if (inode.Model is not { } model || !name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return Errno.ENODATA;
        }

        var value = name[Prefix.Length..] switch
        {
            "state" => model.State.ToString().ToLowerInvariant(),
            "revision" => model.Copy?.Manifest.BaseRevision ?? model.StoredRevision ?? "",
            "progress" => Progress(model),
            "pinned" => cache.Pins.IsPinned(model.Name) ? "1" : "0",
            "last_error" => model.LastError?.Message ?? "",
            "sync" => cache.Pending.Contains(model) ? "pending" : "done",
            _ => null,
        };
        return value is null ? Errno.ENODATA : Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Sets one, and by that asks for something.</summary>
    /// <param name="inode">What it is set on.</param>
    /// <param name="name">
    /// <c>sync</c>: publish what is pending and wait for the store. <c>warm</c>: fetch. <c>evict</c>: drop the local copy. <c>pinned</c>: keep it here.
    /// <c>resolve</c>: decide about a conflict or a review.
    /// </param>
    /// <param name="value"><c>1</c>; for <c>pinned</c> also <c>0</c>; for <c>resolve</c> <c>mine</c>, <c>theirs</c> or <c>both</c>.</param>
    /// <param name="cancellationToken">Ends a wait.</param>
    /// <exception cref="ModelException">It can't be done.</exception>
    public async ValueTask<Errno> SetAsync(Inode inode, string name, string value, CancellationToken cancellationToken)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return Errno.ENOTSUP;
        }

        try
        {
            var error = await AskAsync(inode, name[Prefix.Length..], value, cancellationToken).ConfigureAwait(false);
            _lastFailure = null;
            return error;
        }
        catch (ModelException error)
        {
            _lastFailure = error.Message;

            // The kernel repeats a path's call after ESTALE, and the repetition would meet the clean folder and succeed.
            if (error.Kind == ModelErrorKind.Conflict)
            {
                return Errno.EIO;
            }

            throw;
        }
    }

    private ValueTask<Errno> AskAsync(Inode inode, string what, string value, CancellationToken cancellationToken) => (what, inode) switch
    {
        ("sync", { Kind: InodeKind.Root }) => Done(cache.SyncAsync(null, cancellationToken)),
        ("sync", { Kind: InodeKind.Status }) => SyncNamedAsync(value, cancellationToken),
        ("sync", { Model: { } model }) => Done(cache.SyncAsync(model, cancellationToken)),
        ("warm", { Model: { } model }) => Done(cache.AcquireAsync(model, cancellationToken).AsTask()),
        ("evict", { Model: { } model }) => Do(() => cache.Evict(model)),
        ("pinned", { Model: { } model }) when value is "0" or "1" => Do(() => cache.Pin(model, value == "1")),
        ("resolve", { Kind: InodeKind.Conflict, Copy: { } conflict }) when KeptBy(value) is { } keep => Done(cache.ResolveAsync(conflict, keep, cancellationToken)),
        ("resolve", { Model: { } model }) when KeptBy(value) is { } keep => Done(cache.ResolveAsync(model, keep, cancellationToken)),
        ("resolve" or "pinned", { Model: not null } or { Kind: InodeKind.Conflict }) => new(Errno.EINVAL),
        _ => new(Errno.ENOTSUP),
    };

    /// <summary><c>1</c> for all models, or a model's name as the mount shows it.</summary>
    private ValueTask<Errno> SyncNamedAsync(string value, CancellationToken cancellationToken)
    {
        if (value == "1")
        {
            return Done(cache.SyncAsync(null, cancellationToken));
        }

        return ModelName.TryParsePath(value, out var name) && cache.Catalog.Find(name) is { } model
            ? Done(cache.SyncAsync(model, cancellationToken))
            : new(Errno.ENOENT);
    }

    private static KeptVersion? KeptBy(string value) => value switch
    {
        "mine" => KeptVersion.Mine,
        "theirs" => KeptVersion.Theirs,
        "both" => KeptVersion.Both,
        _ => null,
    };

    private static async ValueTask<Errno> Done(Task task)
    {
        await task.ConfigureAwait(false);
        return Errno.None;
    }

    /// <summary>Away from the threads that read requests: it writes to the cache's disk.</summary>
    private static ValueTask<Errno> Do(Action action) => Done(Task.Run(action));

    private static string Progress(CachedModel model)
    {
        var total = model.StoredLength;
        return model.State == ModelState.Fetching && total > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{model.ProgressBytes}/{total}")
            : model.Copy is null ? "0" : "complete";
    }
}
