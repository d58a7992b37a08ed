namespace ModelFs.Stores.S3;

/// <summary>One part of an upload in parts.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Offset">In the archive, in bytes.</param>
/// <param name="Length">In bytes.</param>
/// <param name="SourceOffset">Where the server copies it from in the object that it holds; null for a part that is sent, or put together first.</param>
internal readonly record struct PlannedPart(int Number, long Offset, long Length, long? SourceOffset)
{
    /// <summary>
    /// Of what the server puts the part together before it copies it (<see cref="S3Bridge"/>): the first piece is copied and large enough for a part; those behind it have any
    /// size and are copied or sent. Empty for a part that is copied or sent as it is.
    /// </summary>
    public IReadOnlyList<ContentSegment> Pieces { get; init; } = [];

    /// <summary>Length of the first piece where it only stands there because something large must: the part begins behind it. Otherwise 0.</summary>
    public long LeadBytes { get; init; }

    /// <summary>How many bytes of it are sent.</summary>
    public long BytesSent => SourceOffset is not null ? 0 : Pieces.Count == 0 ? Length : Pieces.Sum(piece => piece.SourceOffset is null ? piece.Length : 0);
}

/// <summary>Cuts an archive into parts that S3 accepts, copying as much as possible of what the server holds already.</summary>
/// <remarks>
/// Every part but the last has a least size. New bytes that are too few for a part are either sent together with bytes beside them, which the server has: then what is left of
/// such a neighbour must still be a part of its own. Or, where that sends much more than is new, they become part of a <em>bridge</em>: a part that is made as an object of its
/// own first, since of that the last part may be small (<c>decisions/0020</c>).
/// </remarks>
internal static class PartPlan
{
    /// <summary>S3's own limits.</summary>
    internal static PartCopyTraits Limits { get; } = new(PartBytesMin: 5L << 20, PartBytesMax: 5L << 30, PartsMax: 10_000);

    /// <summary>Copied parts are no larger than this: several are copied at once, and each is answered within the deadline.</summary>
    private const long CopyBytesMax = 256L << 20;

    private const long Step = 1L << 20;

    /// <summary>A bridge takes five requests, one after the other, while other parts are copied: it must be worth them.</summary>
    private const long BridgeSavesMin = 1L << 20;

    /// <summary>Each piece of a bridge but the first takes an object of its own.</summary>
    private const int BridgePiecesMax = 8;

    private const int BridgesMax = 64;

    /// <summary>Plans the parts.</summary>
    /// <param name="length">Of the archive, in bytes.</param>
    /// <param name="segments">As <see cref="IPublishContent.Segments"/>; empty for one that is sent whole.</param>
    /// <param name="partBytes">How large a sent part should be, in bytes; more if there were too many parts.</param>
    /// <param name="withBridges">Whether parts may be put together first.</param>
    internal static List<PlannedPart> Make(long length, IReadOnlyList<ContentSegment> segments, long partBytes, bool withBridges = false)
    {
        var least = Limits.PartBytesMin;
        var sent = Math.Max(partBytes, RoundUp(length, Limits.PartsMax));
        while (true)
        {
            var parts = Cut(new Joining(length, least, withBridges ? sent : 0).Join(segments), length, sent);
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
    private static List<PlannedPart> Cut(List<Stretch> stretches, long length, long sentBytes)
    {
        var parts = new List<PlannedPart>();
        foreach (var stretch in stretches)
        {
            if (stretch.Pieces.Count > 0)
            {
                parts.Add(new PlannedPart(parts.Count + 1, stretch.Offset, stretch.Length, null) { Pieces = stretch.Pieces, LeadBytes = stretch.LeadBytes });
                continue;
            }

            var isCopied = stretch.SourceOffset is not null;
            if (!isCopied && stretch.End == length)
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

    /// <summary>What becomes one part or several of one kind: copied, sent, or with pieces.</summary>
    private readonly record struct Stretch(long Offset, long Length, long? SourceOffset)
    {
        public IReadOnlyList<ContentSegment> Pieces { get; init; } = [];

        public long LeadBytes { get; init; }

        public long End => Offset + Length;
    }

    /// <summary>Makes stretches of which each, but the last, has at least <paramref name="least"/> bytes.</summary>
    /// <param name="length">Of the archive, in bytes.</param>
    /// <param name="least">In bytes.</param>
    /// <param name="pieceBytesMax">The largest piece of a bridge that is sent, in bytes; 0 for no bridges.</param>
    private sealed class Joining(long length, long least, long pieceBytesMax)
    {
        private readonly List<Stretch> _joined = [];

        /// <summary>What follows the last of the stretches and is in none yet: new bytes, and copies too short for a part.</summary>
        private readonly List<ContentSegment> _pending = [];
        private int _bridges;

        private long PendingBytes => _pending.Sum(piece => piece.Length);

        private long PendingFrom => _joined.Count == 0 ? 0 : _joined[^1].End;

        public List<Stretch> Join(IReadOnlyList<ContentSegment> segments)
        {
            foreach (var segment in segments.Count == 0 ? [new ContentSegment(0, length, null)] : Contiguous(segments))
            {
                if (segment.SourceOffset is null || !TryCopy(segment))
                {
                    _pending.Add(segment);
                }
            }

            if (!TryBridge(sentAtLeast: 0))
            {
                Send(PendingFrom, length);
            }

            return _joined;
        }

        /// <summary>Makes a stretch of what can be copied, after one of what is pending; false when too little would be left of it.</summary>
        private bool TryCopy(ContentSegment segment)
        {
            var end = segment.Offset + segment.Length;
            var isLarge = segment.Length >= least || end == length;
            if (isLarge && _pending.Count > 0 && !TryBridge(least) && TryBridgeForward(segment))
            {
                return true;
            }

            var from = PendingFrom;
            var pending = segment.Offset - from;
            var missing = pending == 0 ? 0 : Math.Max(0, least - pending);
            if (missing > 0 && isLarge && _joined.Count > 0 && _joined[^1] is { SourceOffset: not null } last && last.Length - missing >= least)
            {
                _joined[^1] = last with { Length = last.Length - missing };
                from -= missing;
                missing = 0;
            }

            var left = segment.Length - missing;
            if (left < least && (left <= 0 || end != length))
            {
                return false;
            }

            Send(from, segment.Offset + missing);
            _joined.Add(new Stretch(segment.Offset + missing, left, segment.SourceOffset + missing));
            return true;
        }

        /// <summary>Bridges what is pending, if that saves enough: its beginning is the end of the copied stretch before it, or all of that.</summary>
        /// <param name="sentAtLeast">What would be sent otherwise, at least, in bytes.</param>
        private bool TryBridge(long sentAtLeast)
        {
            if (!IsWorthABridge(sentAtLeast) || _joined.Count == 0 || _joined[^1] is not { SourceOffset: { } source } before)
            {
                return false;
            }

            var kept = before.Length >= 2 * least ? before.Length - least : 0;
            var first = new ContentSegment(before.Offset + kept, before.Length - kept, source + kept);
            _joined.RemoveAt(_joined.Count - 1);
            if (kept > 0)
            {
                _joined.Add(before with { Length = kept });
            }

            AddBridge(new Stretch(first.Offset, first.Length + PendingBytes, null) { Pieces = [first, .. _pending] });
            return true;
        }

        /// <summary>Bridges what is pending where nothing large stands before it, as at the beginning of an archive, to the copy behind it.</summary>
        private bool TryBridgeForward(ContentSegment segment)
        {
            if (segment.Length < least || !IsWorthABridge(least))
            {
                return false;
            }

            var taken = segment.Length >= 2 * least ? least : segment.Length;
            ContentSegment lead = new(segment.Offset, least, segment.SourceOffset);
            var from = PendingFrom;
            AddBridge(new Stretch(from, PendingBytes + taken, null) { Pieces = [lead, .. _pending, segment with { Length = taken }], LeadBytes = lead.Length });
            if (taken < segment.Length)
            {
                _joined.Add(new Stretch(segment.Offset + taken, segment.Length - taken, segment.SourceOffset + taken));
            }

            return true;
        }

        private bool IsWorthABridge(long sentAtLeast) =>
            Math.Max(PendingBytes, sentAtLeast) - _pending.Sum(piece => piece.SourceOffset is null ? piece.Length : 0) >= BridgeSavesMin
            && _bridges < BridgesMax
            && _pending.Count < BridgePiecesMax - 1
            && !_pending.Exists(piece => piece.SourceOffset is null && piece.Length > pieceBytesMax);

        private void AddBridge(Stretch bridge)
        {
            _joined.Add(bridge);
            _pending.Clear();
            _bridges++;
        }

        private void Send(long from, long to)
        {
            if (to > from)
            {
                _joined.Add(new Stretch(from, to - from, null));
            }

            _pending.Clear();
        }
    }
}
