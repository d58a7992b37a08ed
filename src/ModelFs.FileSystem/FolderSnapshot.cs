namespace ModelFs.FileSystem;

/// <summary>
/// The names of a folder at the moment it was opened, sorted, so that a listing goes on at the same place whatever happens to the folder,
/// and after another daemon took over.
/// </summary>
internal sealed class FolderSnapshot
{
    private readonly List<FsName> _names;

    public FolderSnapshot(IEnumerable<FsName> names)
    {
        _names = [.. names];
        _names.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
    }

    public int Count => _names.Count;

    public FsName this[int index] => _names[index];
}
