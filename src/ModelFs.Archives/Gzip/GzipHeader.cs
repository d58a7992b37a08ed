using System.IO.Hashing;
using ModelFs.Archives.Streaming;

namespace ModelFs.Archives.Gzip;

/// <summary>Reads one gzip member header: ten fixed bytes, then extra field, name, comment and header checksum as the flags say.</summary>
internal readonly ref struct GzipHeader
{
    /// <summary>The first of the two magic bytes.</summary>
    public const byte FirstByte = 0x1f;

    /// <summary>The ten fixed bytes that ModelFs writes: deflate, no flags, no time, no hints, Unix.</summary>
    public static ReadOnlySpan<byte> Plain => [FirstByte, SecondByte, Deflate, 0, 0, 0, 0, 0, 0, 3];

    private const byte SecondByte = 0x8b;
    private const byte Deflate = 8;
    private const byte HasHeaderCrc = 0x02;
    private const byte HasExtra = 0x04;
    private const byte HasName = 0x08;
    private const byte HasComment = 0x10;
    private const byte Reserved = 0xe0;

    private readonly BlockReader _source;
    private readonly Crc32 _crc;
    private readonly long _start;

    public GzipHeader(BlockReader source)
    {
        _source = source;
        _crc = new Crc32();
        _start = source.Position;
    }

    /// <summary>Consumes the header.</summary>
    /// <exception cref="ArchiveException">It is no gzip header, or it is cut.</exception>
    public void Read()
    {
        if (NextByte() != FirstByte || NextByte() != SecondByte)
        {
            throw ArchiveException.Damaged($"there is no gzip data at byte {_start}");
        }

        var method = NextByte();
        var flags = NextByte();
        if (method != Deflate || (flags & Reserved) != 0)
        {
            throw ArchiveException.Damaged($"the gzip header at byte {_start} asks for method {method}, flags 0x{flags:x2}, which gzip does not have");
        }

        Skip(6); // time (4), hints of the compressor (1), operating system (1): they say nothing about the content
        if ((flags & HasExtra) != 0)
        {
            var low = NextByte();
            Skip(low | (NextByte() << 8));
        }

        if ((flags & HasName) != 0)
        {
            SkipText();
        }

        if ((flags & HasComment) != 0)
        {
            SkipText();
        }

        if ((flags & HasHeaderCrc) != 0)
        {
            var expected = (ushort)_crc.GetCurrentHashAsUInt32();
            var low = NextByte();
            if ((low | (NextByte() << 8)) != expected)
            {
                throw ArchiveException.Damaged($"the checksum of the gzip header at byte {_start} does not match");
            }
        }
    }

    private void SkipText()
    {
        while (NextByte() != 0)
        {
        }
    }

    private void Skip(int count)
    {
        for (; count > 0; count--)
        {
            NextByte();
        }
    }

    private byte NextByte()
    {
        var next = _source.Take(1);
        if (next.IsEmpty)
        {
            throw ArchiveException.Damaged($"the gzip header at byte {_start} is cut at byte {_source.Position}");
        }

        _crc.Append(next);
        return next[0];
    }
}
