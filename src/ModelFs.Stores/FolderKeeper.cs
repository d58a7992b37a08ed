using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Stores;

/// <summary>
/// Keeps what is replaced or deleted in a folder store: a folder per key below <see cref="FolderName"/>, a file per archive, named by when
/// it ended and how.
/// </summary>
/// <remarks>
/// What changes a name runs while the caller holds the <see cref="FolderPublishGate"/>. The new archive is renamed into the kept folder and
/// exchanged with the current one there, so that each of them has exactly one name at every moment and no reader sees the key missing. Its
/// temporary name holds its inode's number: after a crash that tells whether the exchange had happened. A failure to keep never fails a publish.
/// </remarks>
internal sealed partial class FolderKeeper(string folder, StoreOptions options)
{
    /// <summary>In the store's folder. Names that start so are no objects, for older versions of ModelFs neither.</summary>
    internal const string FolderName = FolderPublishGate.OwnPrefix + "kept";

    private const string ReplacedMark = "replaced";
    private const string DeletedMark = "deleted";
    private const string NewMark = "new-";
    private const string IdFormat = "yyyyMMdd'T'HHmmss.ffffff";
    private static readonly int s_idLength = "20170501T120000.123456".Length;
    private static readonly TimeSpan s_sweepPause = TimeSpan.FromHours(1);

    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<FolderStore>();
    private readonly string _root = Path.Combine(folder, FolderName);
    private DateTimeOffset _sweptAt;

    private enum Way
    {
        /// <summary>renameat2 with RENAME_EXCHANGE.</summary>
        Exchange,

        /// <summary>A hard link to the old archive, then a rename over it: for network file systems.</summary>
        Link,

        /// <summary>The file system does neither, or may not be written.</summary>
        None,
    }

    /// <summary>How long the archives of a model that stays deleted are kept.</summary>
    internal static TimeSpan DeletedLifetime { get; } = TimeSpan.FromDays(7);

    private Way KeptBy { get; set; } = Way.None;

    /// <summary>Why nothing is kept; null when it is.</summary>
    internal string? WhyNotKept =>
        options.KeepRevisions == 0 ? "keeping past versions is switched off (--keep-revisions 0)"
        : KeptBy == Way.None ? $"{folder} can't be written, or its file system can neither exchange names (renameat2) nor make hard links; versions are kept on any local Linux file system"
        : null;

    /// <summary>Finds out how the file system lets an archive be kept while another takes its name.</summary>
    /// <param name="newPath">Makes a name in the folder that no listing shows.</param>
    internal void Probe(Func<string> newPath)
    {
        var (one, other, linked) = (newPath(), newPath(), newPath());
        try
        {
            File.WriteAllBytes(one, []);
            File.WriteAllBytes(other, [1]);
            KeptBy = TryExchange(one, other) == 0 && new FileInfo(one).Length == 1 ? Way.Exchange
                : Interop.Link(one, linked) == 0 ? Way.Link
                : Way.None;
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            KeptBy = Way.None;
        }
        finally
        {
            FolderPublishGate.TryDelete(one);
            FolderPublishGate.TryDelete(other);
            FolderPublishGate.TryDelete(linked);
        }
    }

    /// <summary>Gives a key's name to a finished file, and keeps what had it.</summary>
    /// <param name="key">To be published.</param>
    /// <param name="partial">The finished file.</param>
    /// <param name="path">The key's file.</param>
    /// <param name="retention">How many to keep.</param>
    internal void Replace(string key, string partial, string path, Retention retention)
    {
        string? exchanged = null;
        string? linked = null;
        if (retention.Count > 0 && KeptBy != Way.None)
        {
            TryKeeping(key, () => _ = KeptBy == Way.Exchange ? exchanged = Exchange(key, partial, path) : linked = Link(key, path));
        }

        if (exchanged is not null)
        {
            TryKeeping(key, () => Settle(exchanged));
        }
        else
        {
            try
            {
                FolderPublishGate.Replace(partial, path);
            }
            catch when (linked is not null)
            {
                FolderPublishGate.TryDelete(linked);
                throw;
            }
        }

        Prune(key, retention);
    }

    /// <summary>What stays after a change, unless the change says otherwise.</summary>
    internal Retention Usual(string key) => new(options.KeepRevisions ?? Math.Max(1, Entries(PlaceOf(key)).Count), null);

    /// <summary>Takes a key's name from its file, which is kept.</summary>
    internal void Delete(string key, string path)
    {
        var retention = Usual(key);
        if (retention.Count == 0 || !TryKeeping(key, () => File.Move(path, NewPathOf(key, DeletedMark), overwrite: true)))
        {
            File.Delete(path);
        }

        Prune(key, retention);
    }

    /// <summary>What is kept of a key, newest first.</summary>
    internal List<KeptArchive> List(string key)
    {
        var current = FileIdentity.TryGet(Path.Combine(folder, key), out var identity) == 0 ? InodeOf(identity) : null;
        return [.. Entries(PlaceOf(key)).Where(kept => InodeOf(kept.Identity) != current && kept.Mark != NewMark + InodeOf(kept.Identity))];
    }

    /// <summary>Removes what belongs to models that were deleted long ago, and what a crash left half done; at most once an hour.</summary>
    internal void SweepNowAndThen()
    {
        var now = options.TimeProvider.GetUtcNow();
        if (now - _sweptAt < s_sweepPause || !Directory.Exists(_root))
        {
            return;
        }

        _sweptAt = now;
        TryKeeping(FolderName, () =>
        {
            foreach (var place in Directory.GetDirectories(_root))
            {
                Recover(place);
                var key = Path.GetFileName(place);
                var isExpired = !File.Exists(Path.Combine(folder, key)) && Entries(place) is [var last, ..] && now - last.Ended > DeletedLifetime;
                Prune(key, new Retention(isExpired ? 0 : int.MaxValue, null));
            }
        });
    }

    private static int TryExchange(string one, string other) =>
        Interop.RenameAt2(Interop.AtFdCwd, one, Interop.AtFdCwd, other, Interop.RenameExchange) == 0 ? 0 : System.Runtime.InteropServices.Marshal.GetLastPInvokeError();

    private static string InodeOf(FileIdentity identity) => identity.Revision.Value[..identity.Revision.Value.IndexOf('-', StringComparison.Ordinal)];

    /// <summary>The files of one key, newest first.</summary>
    private static List<KeptArchive> Entries(string place)
    {
        var found = new List<KeptArchive>();
        if (Directory.Exists(place))
        {
            foreach (var path in Directory.EnumerateFiles(place))
            {
                var name = Path.GetFileName(path);
                if (name.Length > s_idLength + 1
                    && DateTimeOffset.TryParseExact(name.AsSpan(0, s_idLength), IdFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var ended)
                    && FileIdentity.TryGet(path, out var identity) == 0)
                {
                    found.Add(new KeptArchive(name[..s_idLength], path, name[(s_idLength + 1)..], ended, identity));
                }
            }
        }

        found.Sort((one, other) => string.CompareOrdinal(other.Id, one.Id));
        return found;
    }

    private string PlaceOf(string key) => Path.Combine(_root, key);

    /// <summary>A name for another archive of a key. Ids grow even when the clock goes back, because the smallest is the first to be removed.</summary>
    private string NewPathOf(string key, string mark)
    {
        var place = PlaceOf(key);
        MakeFolder(_root);
        MakeFolder(place);
        Recover(place);
        var now = options.TimeProvider.GetUtcNow();
        var ended = Entries(place) is [var last, ..] && now <= last.Ended.AddMicroseconds(1) ? last.Ended.AddMicroseconds(1) : now;
        return Path.Combine(place, ended.ToString(IdFormat, CultureInfo.InvariantCulture) + "." + mark);
    }

    /// <summary>Whoever may write to the store may keep.</summary>
    private void MakeFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, File.GetUnixFileMode(folder));
            }

            Sync(Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>Lets two archives change places.</summary>
    /// <returns>Where the old one is now; null when nothing was changed, because there was none.</returns>
    private string? Exchange(string key, string partial, string path)
    {
        if (FileIdentity.TryGet(partial, out var identity) != 0 || FileIdentity.TryGet(path, out _) != 0)
        {
            return null;
        }

        var staged = NewPathOf(key, NewMark + InodeOf(identity));
        File.Move(partial, staged, overwrite: true);
        var errno = TryExchange(staged, path);
        if (errno == 0)
        {
            return staged;
        }

        File.Move(staged, partial, overwrite: true);
        return errno == Interop.ENOENT ? null : throw FolderErrors.Of(errno, "exchanging", path);
    }

    private static void Settle(string exchanged)
    {
        var place = Path.GetDirectoryName(exchanged)!;
        File.Move(exchanged, Path.Combine(place, Path.GetFileName(exchanged)[..(s_idLength + 1)] + ReplacedMark), overwrite: true);
        Sync(place);
    }

    /// <summary>Gives the current archive a second name, which is its only one once it is replaced.</summary>
    private string? Link(string key, string path)
    {
        if (FileIdentity.TryGet(path, out _) != 0)
        {
            return null;
        }

        var kept = NewPathOf(key, ReplacedMark);
        if (Interop.Link(path, kept) != 0)
        {
            throw FolderErrors.Of(System.Runtime.InteropServices.Marshal.GetLastPInvokeError(), "linking", path);
        }

        Sync(PlaceOf(key));
        return kept;
    }

    /// <summary>Ends what a publisher that died between two renames had begun.</summary>
    private static void Recover(string place)
    {
        foreach (var entry in Entries(place).Where(entry => entry.Mark.StartsWith(NewMark, StringComparison.Ordinal)))
        {
            if (entry.Mark == NewMark + InodeOf(entry.Identity))
            {
                File.Delete(entry.Path);
            }
            else
            {
                Settle(entry.Path);
            }
        }
    }

    /// <summary>Removes what is more than should be kept.</summary>
    internal void Prune(string key, Retention retention)
    {
        var place = PlaceOf(key);
        if (!Directory.Exists(place))
        {
            return;
        }

        TryKeeping(key, () =>
        {
            var entries = Entries(place);
            foreach (var entry in entries.Where(entry => entry.Id == retention.Dropped).Concat(entries.Where(entry => entry.Id != retention.Dropped).Skip(retention.Count)))
            {
                File.Delete(entry.Path);
            }

            if (!Directory.EnumerateFileSystemEntries(place).Any())
            {
                Directory.Delete(place);
            }
        });
    }

    private bool TryKeeping(string key, Action keep)
    {
        try
        {
            keep();
            return true;
        }
        catch (Exception exception) when (exception is StoreException || FolderErrors.IsOfFileSystem(exception))
        {
            LogNotKept(_logger, folder, key, exception.Message);
            return false;
        }
    }

    private static void Sync(string place)
    {
        using var handle = new SafeFileHandle(Interop.OpenDirectory(place, Interop.OpenCloseOnExec), ownsHandle: true);
        if (!handle.IsInvalid)
        {
            _ = Interop.Fsync(handle);
        }
    }

    [LoggerMessage(21, LogLevel.Warning, "{Folder}: the past versions of {Key} could not be kept as they should be: {Reason}")]
    private static partial void LogNotKept(ILogger logger, string folder, string key, string reason);

    /// <summary>What stays after a publish.</summary>
    /// <param name="Count">The newest so many.</param>
    /// <param name="Dropped">The id of one that goes, because it is current again; or null.</param>
    internal readonly record struct Retention(int Count, string? Dropped);

    /// <summary>One kept file.</summary>
    /// <param name="Id">When it ended, as text.</param>
    /// <param name="Path">Of the file.</param>
    /// <param name="Mark">How it ended.</param>
    /// <param name="Ended">When.</param>
    /// <param name="Identity">Of the file.</param>
    internal sealed record KeptArchive(string Id, string Path, string Mark, DateTimeOffset Ended, FileIdentity Identity)
    {
        /// <summary>Whether it was deleted, not replaced.</summary>
        internal bool WasDeleted => Mark == DeletedMark;
    }
}
