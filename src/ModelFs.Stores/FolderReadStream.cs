using Microsoft.Win32.SafeHandles;
using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>Reads part of one file, and checks after every read that the file is still the one that was asked for.</summary>
/// <param name="file">Owned by the stream.</param>
/// <param name="path">For messages.</param>
/// <param name="revision">What the file must stay at; a program that writes into the file moves it.</param>
/// <param name="offset">In bytes.</param>
/// <param name="length">In bytes.</param>
internal sealed class FolderReadStream(SafeFileHandle file, string path, StoreRevision revision, long offset, long length) : ForwardOnlyStream
{
    private long _done;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var wanted = (int)Math.Min(buffer.Length, length - _done);
            var read = wanted == 0 ? 0 : await RandomAccess.ReadAsync(file, buffer[..wanted], offset + _done, cancellationToken).ConfigureAwait(false);
            return Check(read, wanted);
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            throw FolderErrors.From(exception, "reading", path);
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        try
        {
            var wanted = (int)Math.Min(buffer.Length, length - _done);
            return Check(wanted == 0 ? 0 : RandomAccess.Read(file, buffer[..wanted], offset + _done), wanted);
        }
        catch (Exception exception) when (FolderErrors.IsOfFileSystem(exception))
        {
            throw FolderErrors.From(exception, "reading", path);
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        file.Dispose();
        base.Dispose(disposing);
    }

    private int Check(int read, int wanted)
    {
        var errno = FileIdentity.TryGet(file, out var now);
        if (errno != 0)
        {
            throw FolderErrors.Of(errno, "reading", path);
        }

        if (now.Revision != revision || (read == 0 && wanted > 0))
        {
            throw FolderStore.Changed(path);
        }

        _done += read;
        return read;
    }
}
