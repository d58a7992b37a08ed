using System.Globalization;
using System.Text;
using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>The extended attributes of model folders: where a model stands, and the one that waits for the store when it is set.</summary>
internal sealed class ModelXattrs(ModelCache cache)
{
    private const string UserSpace = "user.";
    private const string Prefix = UserSpace + "modelfs.";

    private volatile string? _lastSyncError;

    /// <summary>The names, all with the prefix <c>user.modelfs.</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [Prefix + "state", Prefix + "revision", Prefix + "progress", Prefix + "last_error"];

    /// <summary>Reads one; the root has only the last failure of a wait for the store.</summary>
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

        if (inode.Kind == InodeKind.Root && name == Prefix + "last_error" && _lastSyncError is { } failure)
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
            "last_error" => model.LastError?.Message ?? "",
            _ => null,
        };
        return value is null ? Errno.ENODATA : Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Sets one: <c>user.modelfs.sync</c> publishes what is pending and waits for the store.</summary>
    /// <remarks>
    /// On a model's folder for that model, on the root for all. The kernel locks the inode meanwhile, and with a folder all look-ups in it that
    /// are not cached; so <c>/.modelfs/status.json</c> takes it too: <c>1</c> for all models, or a model's name as the mount shows it.
    /// </remarks>
    /// <exception cref="ModelException">A writer is open, or the publish failed.</exception>
    public async ValueTask<Errno> SetAsync(Inode inode, string name, string value, CancellationToken cancellationToken)
    {
        if (name != Prefix + "sync" || inode.Kind is not (InodeKind.Model or InodeKind.Root or InodeKind.Status))
        {
            return Errno.ENOTSUP;
        }

        var model = inode.Model;
        if (inode.Kind == InodeKind.Status && value != "1")
        {
            model = ModelName.TryParsePath(value, out var modelName) ? cache.Catalog.Find(modelName) : null;
            if (model is null)
            {
                return Errno.ENOENT;
            }
        }

        try
        {
            await cache.SyncAsync(model, cancellationToken).ConfigureAwait(false);
            _lastSyncError = null;
            return Errno.None;
        }
        catch (ModelException error)
        {
            _lastSyncError = error.Message;

            // The kernel repeats a path's call after ESTALE, and the repetition would meet the clean folder and succeed.
            if (error.Kind == ModelErrorKind.Conflict)
            {
                return Errno.EIO;
            }

            throw;
        }
    }

    private static string Progress(CachedModel model)
    {
        var total = model.StoredLength;
        return model.State == ModelState.Fetching && total > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{model.ProgressBytes}/{total}")
            : model.Copy is null ? "0" : "complete";
    }
}
