namespace ModelFs.Archives.Deflate;

/// <summary>Decodes one raw deflate stream after another (RFC 1951), and tells exactly where each ends.</summary>
internal interface IInflater : IDisposable
{
    /// <summary>Decodes as much as input and room allow. It makes progress unless it needs more input, or room, or the stream has ended.</summary>
    /// <param name="input">Continues where the last call's <paramref name="consumed"/> ended.</param>
    /// <param name="output">Room for decoded bytes.</param>
    /// <param name="consumed">Bytes of <paramref name="input"/> that need not be given again; exact when the stream has ended.</param>
    /// <param name="produced">Bytes written to <paramref name="output"/>.</param>
    /// <returns>True when the stream has ended.</returns>
    /// <exception cref="InvalidDataException">The input is no deflate stream.</exception>
    bool Run(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced);

    /// <summary>Makes it ready for the next stream.</summary>
    void Reset();
}
