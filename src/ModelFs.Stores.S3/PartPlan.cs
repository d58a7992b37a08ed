namespace ModelFs.Stores.S3;

/// <summary>One part of an upload in parts.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Offset">In the archive, in bytes.</param>
/// <param name="Length">In bytes.</param>
/// <param name="SourceOffset">Where the server copies it from in the object that it holds; null for a part that is sent.</param>
internal readonly record struct PlannedPart(int Number, long Offset, long Length, long? SourceOffset);

/// <summary>Cuts an archive into parts that S3 accepts, copying as much as possible of what the server holds already.</summary>
/// <remarks>
/// Every part but the last has a least size. A stretch of new bytes that is too short for a part borrows from the stretches beside
/// it: those bytes are sent although the server has them, and what is left of such a neighbour must still be a part of its own.
/// </remarks>
internal static class PartPlan
{
    /// <summary>S3's own limits.</summary>
    internal static PartCopyTraits Limits { get; } = new(PartBytesMin: 5L << 20, PartBytesMax: 5L << 30, PartsMax: 10_000);

    /// <summary>Copied parts are no larger than this: several are copied at once, and each is answered within the deadline.</summary>
    private const long CopyBytesMax = 256L << 20;

    private const long Step = 1L << 20;

    /// <summary>Plans the parts.</summary>
    /// <param name="length">Of the archive, in bytes.</param>
    /// <param name="segments">As <see cref="IPublishContent.Segments"/>; empty for one that is sent whole.</param>
    /// <param name="partBytes">How large a sent part should be, in bytes; more if there were too many parts.</param>
    internal static List<PlannedPart> Make(long length, IReadOnlyList<ContentSegment> segments, long partBytes)
    {
        var least = Limits.PartBytesMin;
        var sent = Math.Max(partBytes, RoundUp(length, Limits.PartsMax));
        while (true)
        {
            var parts = Cut(Join(length, segments, least), length, sent);
            if (parts.Count <= Limits.PartsMax)
            {
                return parts;
            }

            // Thousands of small changes in one archive: fewer, larger parts.
            least *= 2;
            sent = Math.Max(sent, least);
        }
    }

    private static long RoundUp(long length, int count) => ((length + count - 1) / count + Step - 1) / Step * Step;

    /// <summary>Makes stretches of which each, but the last, has at least <paramref name="least"/> bytes.</summary>
    private static List<ContentSegment> Join(long length, IReadOnlyList<ContentSegment> segments, long least)
    {
        var joined = new List<ContentSegment>();
        if (segments.Count == 0)
        {
            joined.Add(new ContentSegment(0, length, null));
            return joined;
        }

        // Sent bytes from here on are not in the list yet.
        long pendingFrom = 0;
        foreach (var segment in Contiguous(segments))
        {
            if (segment.SourceOffset is not { } sourceOffset)
            {
                continue;
            }

            var end = segment.Offset + segment.Length;
            var pending = segment.Offset - pendingFrom;
            var missing = pending == 0 ? 0 : Math.Max(0, least - pending);
            if (missing > 0 && joined.Count > 0 && joined[^1].Length - missing >= least && (segment.Length >= least || end == length))
            {
                joined[^1] = joined[^1] with { Length = joined[^1].Length - missing };
                pendingFrom -= missing;
                missing = 0;
            }

            var left = segment.Length - missing;
            if (left >= least || (left > 0 && end == length))
            {
                AddSent(joined, pendingFrom, segment.Offset + missing);
                joined.Add(new ContentSegment(segment.Offset + missing, left, sourceOffset + missing));
                pendingFrom = end;
            }
        }

        AddSent(joined, pendingFrom, length);
        return joined;
    }

    private static void AddSent(List<ContentSegment> joined, long from, long to)
    {
        if (to > from)
        {
            joined.Add(new ContentSegment(from, to - from, null));
        }
    }

    /// <summary>Segments that follow each other in the source, too, as one.</summary>
    private static IEnumerable<ContentSegment> Contiguous(IReadOnlyList<ContentSegment> segments)
    {
        var current = segments[0];
        for (var i = 1; i < segments.Count; i++)
        {
            var next = segments[i];
            var follows = current.SourceOffset is { } at ? next.SourceOffset == at + current.Length : next.SourceOffset is null;
            if (follows)
            {
                current = current with { Length = current.Length + next.Length };
                continue;
            }

            yield return current;
            current = next;
        }

        yield return current;
    }

    /// <summary>Cuts long stretches into parts of about equal size, none smaller than the least; only the archive's last part may be.</summary>
    private static List<PlannedPart> Cut(List<ContentSegment> stretches, long length, long sentBytes)
    {
        var parts = new List<PlannedPart>();
        foreach (var stretch in stretches)
        {
            var isCopied = stretch.SourceOffset is not null;
            if (!isCopied && stretch.Offset + stretch.Length == length)
            {
                for (long done = 0; done < stretch.Length; done += sentBytes)
                {
                    parts.Add(new PlannedPart(parts.Count + 1, stretch.Offset + done, Math.Min(sentBytes, stretch.Length - done), null));
                }

                continue;
            }

            var count = isCopied ? (stretch.Length + CopyBytesMax - 1) / CopyBytesMax : Math.Max(1, stretch.Length / sentBytes);
            for (long i = 0; i < count; i++)
            {
                var from = stretch.Length * i / count;
                var to = stretch.Length * (i + 1) / count;
                parts.Add(new PlannedPart(parts.Count + 1, stretch.Offset + from, to - from, stretch.SourceOffset + from));
            }
        }

        return parts;
    }
}
