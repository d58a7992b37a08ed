namespace ModelFs.Archives.Tar;

/// <summary>One 512-byte header block, read in place: offsets, the checksum, and numbers as octal digits or as GNU's base-256.</summary>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block, long offset)
{
    /// <summary>Headers and content come in blocks of this many bytes.</summary>
    public const int BlockBytes = 512;

    private readonly ReadOnlySpan<byte> _block = block;

    /// <summary>Where the block starts, in bytes of the uncompressed archive.</summary>
    public long Offset { get; } = offset;

    public ReadOnlySpan<byte> Name => Text(0, 100);

    public int Mode => (int)(Number(100, 8) & 0x1ff);

    public long Size => Number(124, 12);

    public long ModifiedSeconds => Number(136, 12);

    public byte TypeFlag => _block[156];

    public ReadOnlySpan<byte> LinkName => Text(157, 100);

    /// <summary>Folders in front of the name; only POSIX headers have it, GNU keeps other things there.</summary>
    public ReadOnlySpan<byte> Prefix => _block.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(345, 155) : [];

    /// <summary>Whether the sum of the bytes, signed or unsigned (old tars), is what the header says.</summary>
    public bool HasValidChecksum()
    {
        const int at = 148, length = 8;
        long unsigned = length * ' ', signed = length * ' ';
        for (var i = 0; i < BlockBytes; i++)
        {
            if (i is < at or >= at + length)
            {
                unsigned += _block[i];
                signed += (sbyte)_block[i];
            }
        }

        return TryNumber(at, length, out var expected) && (expected == unsigned || expected == signed);
    }

    private ReadOnlySpan<byte> Text(int at, int length)
    {
        var field = _block.Slice(at, length);
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    private long Number(int at, int length) => TryNumber(at, length, out var value)
        ? value
        : throw ArchiveException.Damaged($"the tar header at byte {Offset} has a number that can't be read (field at {at})");

    private bool TryNumber(int at, int length, out long value)
    {
        var field = _block.Slice(at, length);
        if ((field[0] & 0x80) != 0)
        {
            return TryBase256(field, out value);
        }

        value = 0;
        foreach (var digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    /// <summary>GNU: a big-endian two's complement number whose top bit marks it; only what fits 63 bits is taken.</summary>
    private static bool TryBase256(ReadOnlySpan<byte> field, out long value)
    {
        var negative = (field[0] & 0x40) != 0;
        value = negative ? -1 : 0;
        for (var i = 0; i < field.Length; i++)
        {
            var part = i == 0 ? (byte)(negative ? field[0] : field[0] & 0x7f) : field[i];
            if (value >> 55 != (negative ? -1 : 0))
            {
                return false;
            }

            value = (value << 8) | part;
        }

        return true;
    }
}
