using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using ModelFs.Archives.Deflate;
using ModelFs.Archives.Gzip;
using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>Makes gzip members of drafts. One per thread.</summary>
internal sealed class MemberEncoder(PackCompression compression, int level) : IDisposable
{
    /// <summary>
    /// What deflate leaves of the bytes it must be worth: inflating costs ten times as much as copying. Weights of 32 bits shrink by 7 or 8 %, those of 16 bits by 20 %.
    /// </summary>
    private const double WorthwhileRatio = 0.91;

    private const int Samples = 4;
    private const int SampleBytes = 16 << 10;

    private readonly IDeflater _deflater = DeflateCodec.NewDeflater(level);
    private readonly ArrayBufferWriter<byte> _sample = new();

    /// <summary>Encodes what the draft holds; the same bytes always become the same member.</summary>
    public void Encode(MemberDraft draft)
    {
        var data = draft.Tar;
        draft.Digest = ContentDigest.From(XxHash128.HashToUInt128(data));
        draft.Report = default;
        if (draft.IsKnownWorthless || compression == PackCompression.Store || (compression == PackCompression.Auto && IsWorthless(draft)))
        {
            Store(draft);
        }
        else
        {
            Deflate(draft);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _deflater.Dispose();

    /// <summary>Samples a large member. Small ones are deflated to see.</summary>
    private bool IsWorthless(MemberDraft draft)
    {
        var data = draft.Tar;
        if (data.Length <= 2 * Samples * SampleBytes)
        {
            return false;
        }

        _sample.ResetWrittenCount();
        _deflater.Reset();
        // From the middle of each quarter, so that headers and padding are not taken for the content.
        var quarter = data.Length / Samples;
        for (var i = 0; i < Samples; i++)
        {
            _deflater.Write(data.Slice((i * quarter) + ((quarter - SampleBytes) / 2), SampleBytes), _sample);
        }

        _deflater.Finish(_sample);
        var ratio = (double)_sample.WrittenCount / (Samples * SampleBytes);
        if (ratio < WorthwhileRatio)
        {
            return false;
        }

        draft.Report = new CompressionReport(0, data.Length, (long)(data.Length * Math.Max(0, 1 - ratio)), 0, 0);
        return true;
    }

    private void Deflate(MemberDraft draft)
    {
        var data = draft.Tar;
        var output = draft.Encoded;
        output.Write(GzipHeader.Plain);
        _deflater.Reset();
        _deflater.Write(data, output);
        _deflater.Finish(output);
        var stored = StoredMember.LengthOf(data.Length);
        var limit = compression == PackCompression.Auto ? WorthwhileRatio * stored : stored;
        if (output.WrittenCount >= limit)
        {
            draft.Report = new CompressionReport(0, data.Length, Math.Max(0, stored - output.WrittenCount), 0, 0);
            output.ResetWrittenCount();
            Store(draft);
            return;
        }

        WriteTrailer(data, output);
        draft.Coding = MemberCoding.Deflated;
        draft.Report = draft.Report with { DeflatedBytes = data.Length, DeflatedArchiveBytes = output.WrittenCount };
    }

    private static void Store(MemberDraft draft)
    {
        draft.Coding = MemberCoding.Stored;
        if (!draft.IsLeft)
        {
            draft.Encoded.Write(GzipHeader.Plain);
            StoredMember.Write(draft.Tar, draft.Encoded);
            WriteTrailer(draft.Tar, draft.Encoded);
        }

        draft.Report = draft.Report with { StoredBytes = draft.Length };
    }

    private static void WriteTrailer(ReadOnlySpan<byte> data, ArrayBufferWriter<byte> output)
    {
        var trailer = output.GetSpan(8);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.HashToUInt32(data));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)data.Length);
        output.Advance(8);
    }
}
