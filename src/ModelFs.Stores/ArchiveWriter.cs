using Microsoft.Win32.SafeHandles;

namespace ModelFs.Stores;

/// <summary>Writes a large file that nobody reads soon: what is written goes to the disk at once and does not stay in memory, where files of models in use should be.</summary>
/// <remarks>Linux has the flag for it since 6.14 (<see href="https://man7.org/linux/man-pages/man2/pwritev2.2.html">RWF_DONTCACHE</see>), on some file systems; elsewhere it is written like any file.</remarks>
internal sealed class ArchiveWriter(SafeFileHandle file)
{
    private bool _isRefused;

    /// <summary>Writes at an offset, off the caller's thread.</summary>
    /// <exception cref="IOException">The file system failed.</exception>
    internal Task WriteAsync(ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellationToken) =>
        Task.Run(() => Write(bytes.Span, offset), cancellationToken);

    private unsafe void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        while (!_isRefused && !bytes.IsEmpty)
        {
            nint written;
            fixed (byte* start = bytes)
            {
                var vector = new Interop.Vector { Start = start, Length = (nuint)bytes.Length };
                written = Interop.WriteVector(file, &vector, 1, offset, Interop.DoNotCache);
            }

            // Whatever is wrong with the disk is told by the usual call just as well.
            _isRefused = written <= 0;
            bytes = bytes[(int)Math.Max(0, written)..];
            offset += Math.Max(0, written);
        }

        RandomAccess.Write(file, bytes, offset);
    }
}
