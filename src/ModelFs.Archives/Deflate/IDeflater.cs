using System.Buffers;

namespace ModelFs.Archives.Deflate;

/// <summary>Encodes one raw deflate stream after another (RFC 1951).</summary>
internal interface IDeflater : IDisposable
{
    /// <summary>Encodes <paramref name="input"/>; what is ready goes to <paramref name="output"/>.</summary>
    void Write(ReadOnlySpan<byte> input, IBufferWriter<byte> output);

    /// <summary>Ends the stream; the rest goes to <paramref name="output"/>.</summary>
    void Finish(IBufferWriter<byte> output);

    /// <summary>Makes it ready for another stream; what was not finished is dropped.</summary>
    void Reset();
}
