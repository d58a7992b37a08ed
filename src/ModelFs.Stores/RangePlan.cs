namespace ModelFs.Stores;

/// <summary>
/// How large the parts of a parallel download are and how many are fetched at once. It begins with what the object's size suggests, but the first parts are small, each twice
/// as large as the one before: the reader waits for the first, and all of them share the way from the server. Parts then grow or shrink
/// until one takes about a quarter of a second, so that round trips cost little and a repeated part is not much; more are fetched at once while the reader
/// has to wait for them, and fewer when it never does, because what waits for the reader only takes memory.
/// </summary>
/// <param name="objectBytes">Of the whole object.</param>
/// <param name="streamsMax">How many requests at once the store has use for.</param>
/// <param name="options">The bounds.</param>
internal sealed class RangePlan(long objectBytes, int streamsMax, ParallelReadOptions options)
{
    private const int PartBytesMin = 1 << 20;
    private const int PartsAtFirst = 4;
    private const int PartsMin = 3;
    private static readonly TimeSpan s_partTime = TimeSpan.FromMilliseconds(250);

    private int _parts = PartsAtFirst;
    private int _wholeInARow;
    private int _firstBytes = Math.Min(PartBytesMin, options.PartBytes);
    private int _partBytes =
        (int)Math.Min(Math.Max(1, objectBytes), Math.Clamp(objectBytes / (2 * streamsMax), Math.Min(PartBytesMin, options.PartBytes), options.PartBytes));

    /// <summary>Of the next request.</summary>
    public int PartBytes => Math.Min(_partBytes, _firstBytes);

    /// <summary>How many parts may be in memory.</summary>
    /// <remarks>One more than requests at once: while the reader drains a part, all streams are busy with later ones.</remarks>
    public int PartsMax => (int)Math.Clamp(Math.Min(_parts, options.InFlightBytesMax / PartBytes), 1, streamsMax + 1);

    /// <summary>A part of <see cref="PartBytes"/> was asked for.</summary>
    public void NoteAsked() => _firstBytes = (int)Math.Min(2L * _firstBytes, options.PartBytes);

    /// <summary>The reader has come to a new part.</summary>
    /// <param name="isWhole">Whether all of it was there already.</param>
    public void NoteBegun(bool isWhole)
    {
        if (!isWhole)
        {
            _wholeInARow = 0;
            _parts = Math.Min(_parts + 1, streamsMax + 1);
        }
        else if (++_wholeInARow >= 2 * PartsMin)
        {
            _wholeInARow = 0;
            _parts = Math.Max(_parts - 1, Math.Min(PartsMin, streamsMax + 1));
        }
    }

    /// <summary>A part was fetched.</summary>
    public void NoteFetched(int bytes, TimeSpan took)
    {
        // The last part of an object may be too short to tell.
        if (bytes < PartBytesMin || took <= TimeSpan.Zero)
        {
            return;
        }

        if (bytes * (s_partTime / took) >= 2.0 * _partBytes)
        {
            _partBytes = Math.Min(_partBytes * 2, Math.Max(options.PartBytes, _partBytes));
        }
        else if (took >= 2 * s_partTime)
        {
            _partBytes = Math.Max(_partBytes / 2, Math.Min(PartBytesMin, _partBytes));
        }
    }
}
