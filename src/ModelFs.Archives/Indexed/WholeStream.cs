using ModelFs.Archives.Deflate;

namespace ModelFs.Archives.Indexed;

/// <summary>Inflates a deflate stream that is at hand as a whole.</summary>
internal static class WholeStream
{
    /// <summary>Fills <paramref name="output"/> from <paramref name="input"/>.</summary>
    /// <returns>False unless the stream ends exactly with the last byte of both.</returns>
    /// <exception cref="InvalidDataException">The input is no deflate stream.</exception>
    public static bool TryInflate(IInflater inflater, ReadOnlySpan<byte> input, Span<byte> output)
    {
        inflater.Reset();
        // The end of a stream that gives nothing more must still be read, so there is always room for one byte too many.
        Span<byte> spare = stackalloc byte[1];
        while (true)
        {
            var room = output.IsEmpty ? spare : output;
            var ended = inflater.Run(input, room, out var consumed, out var produced);
            if (output.IsEmpty && produced > 0)
            {
                return false;
            }

            input = input[consumed..];
            output = output[produced..];
            if (ended)
            {
                return input.IsEmpty && output.IsEmpty;
            }

            if (consumed == 0 && produced == 0)
            {
                return false;
            }
        }
    }
}
