namespace ModelFs.Archives.Unpacking;

/// <summary>Compares the bytes of an archive with the length that its store gave, and reports progress.</summary>
internal sealed class LengthCheck(long expected, IProgress<long>? progress)
{
    /// <summary>Called after each block, and once more at the end.</summary>
    /// <exception cref="ArchiveException">The archive is longer or shorter.</exception>
    public void OnRead(long total, bool ended)
    {
        if (total > expected || (ended && total < expected))
        {
            throw ArchiveException.Damaged($"the archive has {(total > expected ? "more than" : $"{total:N0} bytes instead of")} the {expected:N0} bytes that the store lists");
        }

        if (!ended)
        {
            progress?.Report(total);
        }
    }
}
