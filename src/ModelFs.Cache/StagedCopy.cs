using System.Globalization;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>A copy that is being made, where nobody sees it: dropped with this object unless it was committed.</summary>
internal sealed class StagedCopy : IDisposable
{
    private const uint FolderMode = 0x1C0;

    private readonly CacheFolder _folder;
    private readonly CopyFiles _files;
    private bool _isCommitted;

    private StagedCopy(CacheFolder folder, CopyFiles files, long id)
    {
        _folder = folder;
        _files = files;
        Id = id;
        Path = System.IO.Path.Combine(folder.Staging, id.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The copy's id.</summary>
    public long Id { get; }

    /// <summary>Its folder while it is staged.</summary>
    public string Path { get; }

    /// <summary>Where its tree goes.</summary>
    public string Content => Path + "/content";

    /// <summary>Makes a new folder in staging with empty <c>content/</c> and <c>unlinked/</c>.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public static StagedCopy Make(CacheFolder folder, CopyFiles files)
    {
        var copy = new StagedCopy(folder, files, folder.NextId());
        try
        {
            // Where on the disk its files come to lie is decided by the name that it is made under (CacheFolder.Open): an id would choose the same place in each new cache.
            var made = System.IO.Path.Combine(folder.Staging, "new-" + Guid.NewGuid().ToString("N"));
            DurableFile.Check(PosixFile.MakeFolder(made, FolderMode), "create", made);
            DurableFile.Check(PosixFile.Rename(made, copy.Path, PosixFile.RenameNoReplace), "rename", made);
            DurableFile.Check(PosixFile.MakeFolder(copy.Content, 0x1ED), "create", copy.Content);
            DurableFile.Check(PosixFile.MakeFolder(copy.Path + "/unlinked", FolderMode), "create", copy.Path + "/unlinked");
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Makes it a complete one, in one step.</summary>
    /// <returns>Its folder from now on.</returns>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public string Commit()
    {
        var path = System.IO.Path.Combine(_folder.Trees, Id.ToString(CultureInfo.InvariantCulture));
        DurableFile.Check(PosixFile.Rename(Path, path, PosixFile.RenameNoReplace), "rename", Path);
        _isCommitted = true;
        return path;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isCommitted)
        {
            _files.Drop(Path);
        }
    }
}
