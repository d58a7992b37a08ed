using System.Globalization;

namespace ModelFs.Archives;

/// <summary>What packing did with the bytes that it encoded; what came from a base is not counted.</summary>
/// <param name="StoredBytes">Stored as they are.</param>
/// <param name="SampledBytes">Of the stored ones, those that samples were taken of.</param>
/// <param name="SampledSavedBytes">What deflating them would have saved, by the samples.</param>
/// <param name="DeflatedBytes">Deflated.</param>
/// <param name="DeflatedArchiveBytes">What became of those.</param>
public readonly record struct CompressionReport(
    long StoredBytes, long SampledBytes, long SampledSavedBytes, long DeflatedBytes, long DeflatedArchiveBytes)
{
    /// <summary>One clause for the log: what was chosen, and why.</summary>
    public override string ToString()
    {
        var deflated = string.Create(CultureInfo.InvariantCulture, $"{DeflatedBytes:N0} bytes deflated to {DeflatedArchiveBytes:N0}");
        if (StoredBytes == 0)
        {
            return deflated;
        }

        var reason = SampledBytes > 0
            ? string.Create(CultureInfo.InvariantCulture, $" because deflate shrinks them by {100.0 * SampledSavedBytes / SampledBytes:F0} % only (sampled)")
            : "";
        var stored = string.Create(CultureInfo.InvariantCulture, $"{StoredBytes:N0} bytes stored{reason}");
        return DeflatedBytes == 0 ? stored : $"{stored}, {deflated}";
    }

    internal CompressionReport Plus(in CompressionReport other) => new(
        StoredBytes + other.StoredBytes,
        SampledBytes + other.SampledBytes,
        SampledSavedBytes + other.SampledSavedBytes,
        DeflatedBytes + other.DeflatedBytes,
        DeflatedArchiveBytes + other.DeflatedArchiveBytes);
}
