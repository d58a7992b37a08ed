namespace ModelFs.Archives.Unpacking;

/// <summary>Counts what an archive unpacks to against the limits, before anything of it is written.</summary>
internal sealed class TreeBudget(UnpackLimits limits, long archiveLength)
{
    private long _entries;
    private long _bytes;

    /// <summary>Counts one file, folder or link.</summary>
    /// <exception cref="ArchiveException">There are too many.</exception>
    public void AddEntry()
    {
        if (++_entries > limits.EntriesMax)
        {
            throw ArchiveException.TooLarge($"the archive holds more than {limits.EntriesMax:N0} files, folders and links");
        }
    }

    /// <summary>Counts a file's content.</summary>
    /// <exception cref="ArchiveException">There is no room for it, or the archive is far too small for it.</exception>
    public void AddContent(long bytes)
    {
        if (bytes > limits.BytesMax - _bytes)
        {
            throw ArchiveException.TooLarge($"the archive unpacks to more than the {limits.BytesMax:N0} bytes that there is room for");
        }

        _bytes += bytes;
        if (_bytes > limits.RatioMax * archiveLength)
        {
            throw ArchiveException.TooLarge(
                $"the archive of {archiveLength:N0} bytes claims to unpack to {_bytes:N0}, more than {limits.RatioMax:N0} times as much: no model shrinks like that");
        }
    }
}
