using ICSharpCode.SharpZipLib.BZip2;
using ModelFs.Archives.Streaming;

namespace ModelFs.Archives.Bzip2;

/// <summary>Decodes a bzip2 file of one or more streams (pbzip2 writes many) and checks every block's and stream's CRC.</summary>
internal sealed class Bzip2Reader(BlockReader source, Stream sourceStream)
{
    private BZip2InputStream? _stream;

    /// <summary>Fills <paramref name="output"/>; fewer bytes only at the end of the last stream.</summary>
    /// <exception cref="ArchiveException">The data is damaged.</exception>
    public int Fill(Span<byte> output)
    {
        var filled = 0;
        while (filled < output.Length)
        {
            if (_stream is null && filled + source.Position > 0 && source.Peek().IsEmpty)
            {
                break;
            }

            filled += Decode(output[filled..]);
        }

        return filled;
    }

    private int Decode(Span<byte> output)
    {
        var before = source.Position;
        try
        {
            _stream ??= new BZip2InputStream(sourceStream) { IsStreamOwner = false };
            var read = _stream.Read(output);
            if (read == 0)
            {
                _stream = null;
            }

            return read;
        }
        catch (Exception error) when (error is EndOfStreamException or not (OperationCanceledException or IOException))
        {
            // The library swallows the errors of the stream that it reads; if there was one, it comes out here again.
            source.Peek();

            // Damaged data it answers with its own exceptions and with errors of array indices.
            throw ArchiveException.Damaged($"the bzip2 data after byte {before} can't be decoded ({error.Message})", error);
        }
    }
}
