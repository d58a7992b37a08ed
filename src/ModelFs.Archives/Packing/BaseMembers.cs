using ModelFs.Archives.Indexed;

namespace ModelFs.Archives.Packing;

/// <summary>Copies members of the base into a new archive: neighbours with one read, each verified.</summary>
/// <param name="index">Of the base.</param>
/// <param name="readAsync">As <see cref="PackOptions.ReadBase"/>.</param>
/// <param name="cancellationToken">Ends reading.</param>
internal sealed class BaseMembers(ArchiveIndex index, Func<long, long, CancellationToken, Task<Stream>> readAsync, CancellationToken cancellationToken) : IDisposable
{
    private readonly MemberInflater _inflater = new();
    private byte[] _archiveBytes = [];
    private byte[] _tarBytes = [];
    private int _first;
    private int _count;

    /// <summary>How many bytes of the base were copied.</summary>
    public long BytesCopied { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _inflater.Dispose();

    /// <summary>Copies a member, sooner or later: in the order of these calls, and before <see cref="FlushAsync"/> returns.</summary>
    public async Task AddAsync(int member, Func<ReadOnlyMemory<byte>, Task> writeAsync)
    {
        if (_count > 0 && member != _first + _count)
        {
            await FlushAsync(writeAsync).ConfigureAwait(false);
        }

        _first = _count == 0 ? member : _first;
        _count++;
    }

    /// <summary>Copies what was added.</summary>
    /// <exception cref="ArchiveException">The base is damaged.</exception>
    public async Task FlushAsync(Func<ReadOnlyMemory<byte>, Task> writeAsync)
    {
        if (_count == 0)
        {
            return;
        }

        var (first, end) = (_first, _first + _count);
        _count = 0;
        var start = index.Members[first].Offset;
        var source = await readAsync(start, index.Members[end - 1].End - start, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            for (var i = first; i < end; i++)
            {
                var member = index.Members[i];
                Grow(ref _archiveBytes, member.ArchiveBytes);
                Grow(ref _tarBytes, member.TarBytes);
                var bytes = _archiveBytes.AsMemory(0, member.ArchiveBytes);
                await source.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
                _inflater.Inflate(index, i, bytes, _tarBytes);
                await writeAsync(bytes).ConfigureAwait(false);
                BytesCopied += bytes.Length;
            }
        }
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = new byte[length];
        }
    }
}
