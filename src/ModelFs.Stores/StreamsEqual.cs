namespace ModelFs.Stores;

/// <summary>Compares streams byte by byte.</summary>
internal static class StreamsEqual
{
    private const int BlockBytes = 128 * 1024;

    /// <summary>Reads both until they differ or both end.</summary>
    internal static async Task<bool> CompareAsync(Stream one, Stream other, CancellationToken cancellationToken)
    {
        var a = new byte[BlockBytes];
        var b = new byte[BlockBytes];
        while (true)
        {
            var read = await one.ReadAtLeastAsync(a, BlockBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            var readOther = await other.ReadAtLeastAsync(b, BlockBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (!a.AsSpan(0, read).SequenceEqual(b.AsSpan(0, readOther)))
            {
                return false;
            }

            if (read < BlockBytes)
            {
                return true;
            }
        }
    }
}
