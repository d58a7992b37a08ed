using Microsoft.Win32.SafeHandles;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>An archive on its way, in a file without a name in the folder for temporary files: nothing of it is left, however the program ends.</summary>
internal sealed class SpoolFile : IPublishContent, IAsyncDisposable
{
    private const int BufferBytes = 1 << 20;
    private readonly FileStream _file;
    private IProgress<long>? _progress;

    private SpoolFile(FileStream file) => _file = file;

    /// <summary>Written so far, in bytes.</summary>
    public long Length => _file.Length;

    /// <summary>Takes the archive; everything is written before the first <see cref="OpenRead"/>.</summary>
    public Stream Input => _file;

    /// <summary>Makes an empty file.</summary>
    /// <exception cref="IOException">The folder for temporary files can't be written to.</exception>
    public static SpoolFile Create()
    {
        var path = Path.Combine(Path.GetTempPath(), "modelfs-" + Path.GetRandomFileName());
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = BufferBytes,
            Options = FileOptions.Asynchronous,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return new SpoolFile(file);
    }

    /// <summary>Reads an object of a store into the file.</summary>
    /// <exception cref="StoreException">The store failed.</exception>
    public async Task FillAsync(IModelStore store, StoredObject source, IProgress<long> progress, CancellationToken cancellationToken)
    {
        var reader = new ParallelRangeReader(store, source, new ParallelReadOptions(), progress, cancellationToken);
        await using (reader.ConfigureAwait(false))
        {
            await reader.CopyToAsync(_file, BufferBytes, cancellationToken).ConfigureAwait(false);
        }

        await _file.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>From now on, who reads tells how far it is.</summary>
    public void ReportTo(IProgress<long> progress) => _progress = progress;

    /// <inheritdoc/>
    public Stream OpenRead(long offset, long length) => new Reader(_file.SafeFileHandle, offset, length, _progress);

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private sealed class Reader(SafeFileHandle file, long offset, long length, IProgress<long>? progress) : ForwardOnlyStream
    {
        private readonly long _end = offset + length;
        private long _position = offset;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Advance(await RandomAccess.ReadAsync(file, Limit(buffer), _position, cancellationToken).ConfigureAwait(false));

        public override int Read(byte[] buffer, int offset, int count) => Advance(RandomAccess.Read(file, Limit(buffer.AsMemory(offset, count)).Span, _position));

        private Memory<byte> Limit(Memory<byte> buffer) => buffer[..(int)Math.Min(buffer.Length, _end - _position)];

        private int Advance(int read)
        {
            _position += read;
            progress?.Report(_position);
            return read;
        }
    }
}
