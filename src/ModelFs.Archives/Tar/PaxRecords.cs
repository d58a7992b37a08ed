using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ModelFs.Models;

namespace ModelFs.Archives.Tar;

/// <summary>The records of a PAX extended header that a model folder can use; others (owners, comments, vendors' notes) are skipped.</summary>
internal sealed class PaxRecords
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string? Path { get; set; }

    public string? LinkPath { get; set; }

    public long? Size { get; set; }

    public UnixTime? ModifiedTime { get; set; }

    /// <summary>Reads <c>LENGTH KEY=VALUE\n</c> records into this object; an empty value removes what a global header said.</summary>
    /// <exception cref="ArchiveException">A record is malformed, or says that the member is a sparse file.</exception>
    public void Read(ReadOnlySpan<byte> payload, long offset)
    {
        while (!payload.IsEmpty)
        {
            if (!Utf8Parser.TryParse(payload, out int length, out var digits)
                || length <= digits + 2
                || length > payload.Length
                || payload[digits] != ' '
                || payload[length - 1] != '\n')
            {
                throw Malformed(offset);
            }

            var record = payload[(digits + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                throw Malformed(offset);
            }

            Set(record[..equals], record[(equals + 1)..], offset);
            payload = payload[length..];
        }
    }

    /// <summary>A copy that a member's own header may change.</summary>
    public PaxRecords Clone() => (PaxRecords)MemberwiseClone();

    /// <summary>Decodes a name.</summary>
    /// <exception cref="ArchiveException">It is not UTF-8, or holds a NUL.</exception>
    public static string DecodeName(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            return bytes.Contains((byte)0)
                ? throw ArchiveException.Unsafe($"the name of the member at byte {offset} holds a NUL")
                : s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new ArchiveException(
                ArchiveErrorKind.Unsupported,
                $"the name '{Encoding.Latin1.GetString(bytes)}' (read as Latin-1) of the member at byte {offset} is not UTF-8; rename the file and pack the model again.",
                error);
        }
    }

    private void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long offset)
    {
        if (key.SequenceEqual("path"u8))
        {
            Path = value.IsEmpty ? null : DecodeName(value, offset);
        }
        else if (key.SequenceEqual("linkpath"u8))
        {
            LinkPath = value.IsEmpty ? null : DecodeName(value, offset);
        }
        else if (key.SequenceEqual("size"u8))
        {
            Size = value.IsEmpty ? null : ParseSize(value, offset);
        }
        else if (key.SequenceEqual("mtime"u8))
        {
            ModifiedTime = value.IsEmpty ? null : ParseTime(value, offset);
        }
        else if (key.StartsWith("GNU.sparse."u8) || key.SequenceEqual("SCHILY.realsize"u8))
        {
            throw TarReader.Sparse(offset);
        }
    }

    private static long ParseSize(ReadOnlySpan<byte> value, long offset) =>
        Utf8Parser.TryParse(value, out long size, out var used) && used == value.Length && size >= 0 ? size : throw Malformed(offset);

    /// <summary>Decimal seconds with any fraction, kept to the nanosecond; what is finer is cut off towards the past.</summary>
    private static UnixTime ParseTime(ReadOnlySpan<byte> value, long offset)
    {
        var negative = value[0] == '-';
        var digits = negative ? value[1..] : value;
        var point = digits.IndexOf((byte)'.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? [] : digits[(point + 1)..];
        if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw Malformed(offset);
        }

        uint nanoseconds = 0;
        for (var i = 0; i < 9; i++)
        {
            nanoseconds = (nanoseconds * 10) + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        }

        if (!negative)
        {
            return new UnixTime(seconds, nanoseconds);
        }

        return nanoseconds == 0 ? new UnixTime(-seconds, 0) : new UnixTime(-seconds - 1, 1_000_000_000 - nanoseconds);
    }

    private static ArchiveException Malformed(long offset) => ArchiveException.Damaged($"the PAX header at byte {offset} is malformed");
}
