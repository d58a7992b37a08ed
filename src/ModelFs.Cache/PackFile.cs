using System.Buffers;
using System.IO.Hashing;
using ModelFs.Archives;
using ModelFs.Cache.Hydration;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>
/// A packed archive as content to be published; reading it reports progress to the model. What the store's own revision has of it is read from there, stored pieces of files are
/// read from the copy, all else lies in a file on the cache's disk.
/// </summary>
/// <remarks>A copy that changes while it is sent breaks the upload (<see cref="IsChanged"/>) before its last byte, never the archive.</remarks>
internal sealed class PackFile : IPublishContent
{
    /// <summary>In front of an index's digest where an archive is told by it.</summary>
    private const string IndexMark = "index:";

    private readonly string _path;
    private readonly PackedModel _packed;
    private readonly CachedModel _model;
    private readonly string _content;
    private readonly SegmentedContent? _segmented;

    /// <summary>Describes the archive.</summary>
    /// <param name="path">What the packer wrote.</param>
    /// <param name="packed">What it says of it.</param>
    /// <param name="model">The model, for progress.</param>
    /// <param name="content">The folder that was packed.</param>
    /// <param name="store">Holds <paramref name="source"/>.</param>
    /// <param name="source">The revision that was packed upon, or null.</param>
    public PackFile(string path, PackedModel packed, CachedModel model, string content, IModelStore store, StoredObject? source)
    {
        _path = path;
        _packed = packed;
        _model = model;
        _content = content;
        source = packed.BytesFromBase > 0 ? source : null;
        if (source is not null || packed.Segments.Any(segment => segment.Piece is not null))
        {
            _segmented = new SegmentedContent(store, source, ContentSegments(packed), OpenFresh);
        }
    }

    /// <inheritdoc/>
    public long Length => _packed.ArchiveBytes;

    /// <inheritdoc/>
    public StoredObject? Source => _segmented?.Source;

    /// <inheritdoc/>
    public IReadOnlyList<ContentSegment> Segments => _segmented?.Segments ?? [];

    /// <inheritdoc/>
    public Stream OpenRead(long offset, long length)
    {
        Interlocked.Exchange(ref _model.ProgressField, offset);
        return _segmented?.OpenRead(offset, length) ?? OpenFile(offset, length);
    }

    /// <summary>
    /// Which archive this is. An indexed one is told by its index, which holds a digest of every member; another one by XXH3-128 of its bytes, 32 hexadecimal digits.
    /// </summary>
    public async Task<string> IdentityAsync(CancellationToken cancellationToken)
    {
        if (_packed.Index is { } index)
        {
            return IdentityOf(index.Location.Digest);
        }

        var archive = OpenRead(0, Length);
        await using (archive.ConfigureAwait(false))
        {
            return await IdentityOfAsync(archive, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether an object of the store holds exactly this archive.</summary>
    public async Task<bool> EqualsAsync(IModelStore store, StoredObject other, CancellationToken cancellationToken) =>
        other.Length == Length
        && await IdentityAsync(cancellationToken).ConfigureAwait(false) is var ours
        && await IsAsync(store, other, _model.Name, [ours], cancellationToken).ConfigureAwait(false) == ours;

    /// <summary>Whether an upload failed because a file was changed while it was sent.</summary>
    public static bool IsChanged(Exception? error) => error is PackException || (error is not null && IsChanged(error.InnerException));

    /// <summary>Which of some identities an object of the store has; null for none.</summary>
    public static async Task<string?> IsAsync(
        IModelStore store, StoredObject stored, ModelName model, IReadOnlyCollection<string> identities, CancellationToken cancellationToken)
    {
        if (identities.Any(identity => identity.StartsWith(IndexMark, StringComparison.Ordinal))
            && (await ArchiveTail.ReadAsync(store, stored, model, cancellationToken).ConfigureAwait(false)).Index is { } index
            && identities.Contains(IdentityOf(index.Location.Digest)))
        {
            return IdentityOf(index.Location.Digest);
        }

        if (identities.All(identity => identity.StartsWith(IndexMark, StringComparison.Ordinal)))
        {
            return null;
        }

        var archive = new ParallelRangeReader(store, stored, new ParallelReadOptions(), null, cancellationToken);
        await using (archive.ConfigureAwait(false))
        {
            var found = await IdentityOfAsync(archive, cancellationToken).ConfigureAwait(false);
            return identities.Contains(found) ? found : null;
        }
    }

    /// <summary>The archive from its index to its end; empty for one without.</summary>
    public byte[] ReadIndex()
    {
        if (_packed.Index is not { } index)
        {
            return [];
        }

        var bytes = new byte[index.Location.Length];
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        file.Position = file.Length - bytes.Length;
        file.ReadExactly(bytes);
        return bytes;
    }

    private static string IdentityOf(ContentDigest index) => IndexMark + index;

    private static async Task<string> IdentityOfAsync(Stream archive, CancellationToken cancellationToken)
    {
        var hash = new XxHash128();
        await hash.AppendAsync(archive, cancellationToken).ConfigureAwait(false);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static List<ContentSegment> ContentSegments(PackedModel packed)
    {
        var segments = new List<ContentSegment>(packed.Segments.Count);
        long offset = 0;
        foreach (var segment in packed.Segments)
        {
            segments.Add(new ContentSegment(offset, segment.Length, segment.IsFromBase ? segment.Offset : null));
            offset += segment.Length;
        }

        return segments;
    }

    /// <summary>Opens a stretch of the archive that lies inside of one segment that the store does not have.</summary>
    private Stream OpenFresh(long offset, long length)
    {
        long start = 0;
        foreach (var segment in _packed.Segments)
        {
            if (offset < start + segment.Length)
            {
                return segment.Piece is { } piece ? OpenPiece(piece, (int)(offset - start), (int)length) : OpenFile(segment.Offset + (offset - start), length);
            }

            start += segment.Length;
        }

        throw new ArgumentOutOfRangeException(nameof(offset), offset, "behind the end of the archive");
    }

    private PooledStream OpenPiece(StoredPiece piece, int offset, int length)
    {
        var member = ArrayPool<byte>.Shared.Rent(piece.ArchiveBytes);
        try
        {
            piece.Make(_content, member.AsMemory(0, piece.ArchiveBytes));
            return new PooledStream(member, offset, length);
        }
        catch (Exception error)
        {
            ArrayPool<byte>.Shared.Return(member);
            if (error is PackException changed)
            {
                // Stores pass their own errors on as they are, and don't repeat what was rejected.
                throw new StoreException(StoreErrorKind.Rejected, changed.Message, changed);
            }

            throw;
        }
    }

    private Stream OpenFile(long offset, long length)
    {
        var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous);
        stream.Position = offset;
        return offset == 0 && length == stream.Length ? stream : new BoundedReadStream(stream, length);
    }

    private sealed class PooledStream(byte[] bytes, int offset, int length) : MemoryStream(bytes, offset, length, writable: false)
    {
        private byte[]? _rented = bytes;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _rented, null) is { } rented)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }
}
