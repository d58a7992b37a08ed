using System.IO.Hashing;
using ModelFs.Stores;

namespace ModelFs.Cache;

/// <summary>A packed archive on the cache's disk, as content to be published; reading it reports progress to the model.</summary>
internal sealed class PackFile(string path, long length, CachedModel model) : IPublishContent
{
    private const int CompareBytes = 1 << 20;

    /// <inheritdoc/>
    public long Length => length;

    /// <inheritdoc/>
    public Stream OpenRead(long offset, long length)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous);
        stream.Position = offset;
        Interlocked.Exchange(ref model.ProgressField, offset);
        return offset == 0 && length == stream.Length ? stream : new BoundedReadStream(stream, length);
    }

    /// <summary>XXH3-128 of the archive's bytes, 32 hexadecimal digits.</summary>
    public async Task<string> DigestAsync(CancellationToken cancellationToken)
    {
        var archive = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, CompareBytes, FileOptions.Asynchronous);
        await using (archive.ConfigureAwait(false))
        {
            var hash = new XxHash128();
            await hash.AppendAsync(archive, cancellationToken).ConfigureAwait(false);
            return SentArchives.Text(hash);
        }
    }

    /// <summary>Whether an object of the store holds exactly these bytes.</summary>
    public async Task<bool> EqualsAsync(IModelStore store, StoredObject other, CancellationToken cancellationToken)
    {
        if (other.Length != length)
        {
            return false;
        }

        var theirs = new ParallelRangeReader(store, other, new ParallelReadOptions(), null, cancellationToken);
        await using (theirs.ConfigureAwait(false))
        {
            var ours = OpenRead(0, length);
            await using (ours.ConfigureAwait(false))
            {
                var left = new byte[CompareBytes];
                var right = new byte[CompareBytes];
                while (true)
                {
                    var count = await ours.ReadAtLeastAsync(left, left.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                    var count2 = await theirs.ReadAtLeastAsync(right, right.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                    if (count != count2 || !left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count)))
                    {
                        return false;
                    }

                    if (count == 0)
                    {
                        return true;
                    }
                }
            }
        }
    }
}
