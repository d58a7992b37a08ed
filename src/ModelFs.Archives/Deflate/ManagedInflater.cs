using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.Zip.Compression;

namespace ModelFs.Archives.Deflate;

/// <summary>
/// SharpZipLib's inflate, for machines without libmodelfs. The streams of System.IO.Compression can't take its place: they do not tell how many bytes
/// a deflate stream took, so a gzip trailer could not be found and checked.
/// </summary>
internal sealed class ManagedInflater : IInflater
{
    private const int BufferBytes = 64 << 10;

    private readonly Inflater _inflater = new(noHeader: true);
    private readonly byte[] _input = new byte[BufferBytes];
    private readonly byte[] _output = new byte[BufferBytes];

    /// <summary>Bytes at the start of the caller's input that the inflater holds and that were not reported as consumed yet: some may have to be given back.</summary>
    private int _held;

    public bool Run(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        consumed = 0;
        produced = 0;
        try
        {
            while (!_inflater.IsFinished && produced < output.Length)
            {
                var decoded = _inflater.Inflate(_output, 0, Math.Min(_output.Length, output.Length - produced));
                _output.AsSpan(0, decoded).CopyTo(output[produced..]);
                produced += decoded;
                if (decoded == 0 && !_inflater.IsFinished && !Refill(input, ref consumed))
                {
                    return false;
                }
            }
        }
        catch (Exception error) when (error is SharpZipBaseException or IndexOutOfRangeException)
        {
            // The latter for some impossible code lengths (SharpZipLib 1.4.2).
            throw new InvalidDataException(error.Message, error);
        }

        if (_inflater.IsFinished)
        {
            consumed += _held - _inflater.RemainingInput;
            _held = 0;
        }

        return _inflater.IsFinished;
    }

    public void Reset()
    {
        _inflater.Reset();
        _held = 0;
    }

    public void Dispose()
    {
        // Managed memory only.
    }

    private bool Refill(ReadOnlySpan<byte> input, ref int consumed)
    {
        if (!_inflater.IsNeedingInput)
        {
            throw new InvalidDataException(_inflater.IsNeedingDictionary ? "a preset dictionary is needed" : "no progress");
        }

        // Nothing could be decoded from what is held, so less than one symbol is left of it: none of it will be given back.
        consumed += _held;
        _held = Math.Min(input.Length - consumed, _input.Length);
        if (_held == 0)
        {
            return false;
        }

        input.Slice(consumed, _held).CopyTo(_input);
        _inflater.SetInput(_input, 0, _held);
        return true;
    }
}
