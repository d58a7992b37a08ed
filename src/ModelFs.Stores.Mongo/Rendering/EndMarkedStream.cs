using System.Security.Cryptography;

namespace ModelFs.Stores.Mongo.Rendering;

/// <summary>
/// A gzip file with one more member behind it, whose content nobody can guess. Only if a reader finds that content at the end was the file
/// whole: .NET's reader accepts a file whose trailer is cut off, but here it takes the next member's start for the trailer and fails.
/// </summary>
/// <param name="file">Read to its end; not disposed of.</param>
internal sealed class EndMarkedStream(Stream file) : ForwardOnlyStream
{
    private readonly byte[] _mark = RandomNumberGenerator.GetBytes(16);
    private Stream? _last;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_last is null)
        {
            var read = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read > 0 || buffer.IsEmpty)
            {
                return read;
            }

            _last = new MemoryStream(StoredGzip.Wrap(_mark), writable: false);
        }

        return await _last.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads what is left of the inflated file.</summary>
    /// <param name="inflated">Inflates this stream.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="InvalidDataException">The file is cut, or something else than gzip stands at its end.</exception>
    internal async Task DrainAsync(Stream inflated, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var tail = Array.Empty<byte>();
        int read;
        while ((read = await inflated.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            tail = [.. tail, .. buffer.AsSpan(0, read)];
            tail = tail[Math.Max(0, tail.Length - _mark.Length)..];
        }

        if (!tail.AsSpan().SequenceEqual(_mark))
        {
            throw new InvalidDataException("it does not end where gzip ends");
        }
    }
}
