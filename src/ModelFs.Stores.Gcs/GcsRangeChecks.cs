namespace ModelFs.Stores.Gcs;

/// <summary>
/// Checks ranges against the one checksum that the server has of a whole object: once its bytes were read, in whatever ranges and order, the checksum of all is put
/// together from those of the ranges.
/// </summary>
/// <remarks>Of ranges that overlap the newest counts. Where some bytes are never read, nothing is checked here; the archive's own checksums are.</remarks>
internal sealed class GcsRangeChecks
{
    /// <summary>Objects that are remembered at once; more are read at one time by no program that is known.</summary>
    private const int ObjectsMax = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<StoredObject, SortedList<long, Range>> _objects = [];
    private readonly Queue<StoredObject> _byAge = new();

    /// <summary>Notes bytes that were read.</summary>
    /// <param name="source">The object, at one generation.</param>
    /// <param name="offset">Of the first byte.</param>
    /// <param name="length">How many; at least 1.</param>
    /// <param name="crc">Of these bytes.</param>
    /// <returns>The checksum of the whole object, if these were the last that were missing.</returns>
    internal Crc32C? Note(StoredObject source, long offset, long length, Crc32C crc)
    {
        lock (_lock)
        {
            var ranges = RangesOf(source);
            foreach (var older in ranges.Values.Where(range => range.Offset < offset + length && offset < range.End).ToList())
            {
                ranges.Remove(older.Offset);
            }

            Insert(ranges, new Range(offset, length, crc));

            if (ranges.Count != 1 || ranges.Values[0] is not { Offset: 0 } whole || whole.Length != source.Length)
            {
                return null;
            }

            ranges.Clear();
            return whole.Crc;
        }
    }

    /// <summary>Neighbours become one, so that a download in order takes up one entry.</summary>
    private static void Insert(SortedList<long, Range> ranges, Range added)
    {
        if (ranges.Values.FirstOrDefault(range => range.End == added.Offset) is { Length: > 0 } before)
        {
            ranges.Remove(before.Offset);
            added = new Range(before.Offset, before.Length + added.Length, before.Crc.FollowedBy(added.Crc, added.Length));
        }

        if (ranges.TryGetValue(added.End, out var after))
        {
            ranges.Remove(after.Offset);
            added = new Range(added.Offset, added.Length + after.Length, added.Crc.FollowedBy(after.Crc, after.Length));
        }

        ranges.Add(added.Offset, added);
    }

    private SortedList<long, Range> RangesOf(StoredObject source)
    {
        if (!_objects.TryGetValue(source, out var ranges))
        {
            if (_byAge.Count >= ObjectsMax)
            {
                _objects.Remove(_byAge.Dequeue());
            }

            _objects[source] = ranges = [];
            _byAge.Enqueue(source);
        }

        return ranges;
    }

    private readonly record struct Range(long Offset, long Length, Crc32C Crc)
    {
        internal long End => Offset + Length;
    }
}
