namespace ModelFs.Archives.Tar;

/// <summary>A tar ends with two blocks of zeros, and more of them up to a whole record of twenty blocks.</summary>
internal static class TarEnd
{
    private const int RecordBytes = 20 * TarHeader.BlockBytes;

    /// <summary>How many zeros end a tar whose last member ends at <paramref name="length"/>.</summary>
    public static int LengthAfter(long length)
    {
        const int mark = 2 * TarHeader.BlockBytes;
        return mark + (int)((RecordBytes - ((length + mark) % RecordBytes)) % RecordBytes);
    }
}
