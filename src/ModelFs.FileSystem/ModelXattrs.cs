using System.Collections.Concurrent;
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
    private const string QuestionPrefix = Prefix + "ask.";

    /// <summary>What may be asked by reading an attribute: what is about this machine's copies only.</summary>
    private static readonly string[] s_questions = ["warm", "evict", "pinned", "verify"];

    private readonly ConcurrentDictionary<string, string> _verified = new(StringComparer.Ordinal);
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
            "verify" => _verified.GetValueOrDefault(model.Name.ToString()),
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

    /// <summary>
    /// Whether a name asks for something: <c>user.modelfs.ask.WHAT=VALUE</c>. Reading it does what setting <c>user.modelfs.WHAT</c> does, for mounts that are read-only, where the
    /// kernel lets nobody set anything although copies may well be fetched, kept and dropped.
    /// </summary>
    public static bool IsQuestion(string name) => name.StartsWith(QuestionPrefix, StringComparison.Ordinal);

    /// <summary>Does what a name asks for (<see cref="IsQuestion"/>).</summary>
    /// <exception cref="ModelException">It can't be done.</exception>
    public ValueTask<Errno> AskAsync(Inode inode, string name, CancellationToken cancellationToken)
    {
        var equals = name.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && s_questions.Contains(name[QuestionPrefix.Length..equals])
            ? SetAsync(inode, Prefix + name[QuestionPrefix.Length..equals], name[(equals + 1)..], cancellationToken)
            : new(Errno.ENOTSUP);
    }

    /// <summary><c>check NAME</c> compares what is here of a model with its digests, <c>repair NAME</c> also fetches anew what is damaged; the model's folder then tells the result.</summary>
    private async ValueTask<Errno> VerifyAsync(string value, CancellationToken cancellationToken)
    {
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || value[..space] is not ("check" or "repair"))
        {
            return Errno.EINVAL;
        }

        if (!ModelName.TryParsePath(value[(space + 1)..], out var name) || cache.Catalog.Find(name) is not { } model)
        {
            return Errno.ENOENT;
        }

        var report = await cache.VerifyAsync(model, value[..space] == "repair", withStore: true, cancellationToken).ConfigureAwait(false);
        _verified[model.Name.ToString()] = report.ToJson();
        return Errno.None;
    }

    private ValueTask<Errno> AskAsync(Inode inode, string what, string value, CancellationToken cancellationToken) => (what, inode) switch
    {
        ("sync", { Kind: InodeKind.Root }) => Done(cache.SyncAsync(null, cancellationToken)),
        ("sync", { Kind: InodeKind.Status }) => SyncNamedAsync(value, cancellationToken),
        ("sync", { Model: { } model }) => Done(cache.SyncAsync(model, cancellationToken)),
        ("verify", { Kind: InodeKind.Status }) => VerifyAsync(value, cancellationToken),
        ("warm", { Model: { } model }) => Done(cache.WarmAsync(model, cancellationToken)),
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
        if (model.Copy is { Hydration: { } hydration })
        {
            return string.Create(CultureInfo.InvariantCulture, $"{hydration.BytesHere}/{hydration.BytesTotal}");
        }

        var total = model.StoredLength;
        return model.State == ModelState.Fetching && total > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{model.ProgressBytes}/{total}")
            : model.Copy is null ? "0" : "complete";
    }
}
