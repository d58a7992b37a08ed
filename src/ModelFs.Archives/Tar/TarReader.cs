using ModelFs.Archives.Streaming;
using ModelFs.Models;

namespace ModelFs.Archives.Tar;

/// <summary>
/// Reads the members of a tar: V7, USTAR, GNU (long names and links, base-256 numbers) and PAX. Unlike System.Formats.Tar it checks every header's
/// checksum, refuses names that are not UTF-8, and misses a cut file: a tar ends with zero blocks or it is damaged.
/// </summary>
internal sealed class TarReader(BlockReader source)
{
    /// <summary>The longest extended header or long name; real ones have some hundred bytes.</summary>
    private const int ExtensionBytesMax = 1 << 20;

    private readonly byte[] _block = new byte[TarHeader.BlockBytes];
    private readonly PaxRecords _global = new();
    private long _contentLeft;
    private int _padding;

    /// <summary>Bytes other than zero that follow the end mark; other readers ignore them, too.</summary>
    public bool HasBytesAfterEnd { get; private set; }

    /// <summary>The next member, or null behind the last one; then everything up to the end of the data has been read.</summary>
    /// <exception cref="ArchiveException">The tar is damaged, or holds what a model folder can't.</exception>
    public TarMember? Next()
    {
        SkipContent();
        var start = source.Position;
        var extensions = new Extensions(_global.Clone());
        while (ReadHeaderBlock())
        {
            var header = new TarHeader(_block, source.Position - TarHeader.BlockBytes);
            if (!header.HasValidChecksum())
            {
                throw ArchiveException.Damaged($"the tar header at byte {header.Offset} fails its checksum");
            }

            if (!extensions.TryTake(this, header))
            {
                return Member(header, extensions, start);
            }
        }

        if (extensions.Any)
        {
            throw ArchiveException.Damaged($"the tar ends after an extended header at byte {start}");
        }

        DrainAfterEnd();
        return null;
    }

    /// <summary>The next bytes of the current member's content, at most one block of the pipeline; empty when all of it was read. Valid until the next call.</summary>
    /// <exception cref="ArchiveException">The data ends before the member does.</exception>
    public ReadOnlySpan<byte> NextContent()
    {
        if (_contentLeft == 0)
        {
            return [];
        }

        var bytes = source.Take(_contentLeft);
        if (bytes.IsEmpty)
        {
            throw ArchiveException.Damaged($"the tar ends at byte {source.Position}, {_contentLeft} bytes before the end of a member");
        }

        _contentLeft -= bytes.Length;
        return bytes;
    }

    internal static ArchiveException Sparse(long offset) => ArchiveException.Unsupported(
        $"the member at byte {offset} of the tar is a sparse file", "pack the model again without tar's --sparse");

    private TarMember Member(in TarHeader header, Extensions extensions, long start)
    {
        var name = extensions.Name(header);
        var type = TypeOf(header, name);
        var size = type == MemberType.File ? extensions.Pax.Size ?? header.Size : 0;
        if (size < 0)
        {
            throw ArchiveException.Damaged($"the tar header at byte {header.Offset} has a negative size");
        }

        BeginContent(size);
        var time = extensions.Pax.ModifiedTime ?? new UnixTime(header.ModifiedSeconds, 0);
        return new TarMember(name, type, header.Mode, time, size, extensions.LinkName(header), start);
    }

    private static MemberType TypeOf(in TarHeader header, string name) => header.TypeFlag switch
    {
        0 or (byte)'0' or (byte)'7' => TarMember.NamesFolder(name) ? MemberType.Directory : MemberType.File,
        (byte)'1' => MemberType.HardLink,
        (byte)'2' => MemberType.SymbolicLink,
        (byte)'5' => MemberType.Directory,
        (byte)'3' or (byte)'4' or (byte)'6' => throw ArchiveException.Unsafe($"'{name}' (byte {header.Offset} of the tar) is a device or a FIFO"),
        (byte)'S' => throw Sparse(header.Offset),
        var other => throw ArchiveException.Unsupported(
            $"'{name}' (byte {header.Offset} of the tar) is of type 0x{other:x2}, which is no file, folder or link", "pack the model again without it"),
    };

    private void BeginContent(long size)
    {
        _contentLeft = size;
        _padding = (int)(-size & (TarHeader.BlockBytes - 1));
    }

    private void SkipContent()
    {
        while (!NextContent().IsEmpty)
        {
        }

        if (source.ReadFully(_block.AsSpan(0, _padding)) < _padding)
        {
            throw ArchiveException.Damaged($"the tar is cut at byte {source.Position}");
        }

        _padding = 0;
    }

    /// <summary>Fills <see cref="_block"/>; false at the end mark.</summary>
    private bool ReadHeaderBlock()
    {
        if (source.ReadFully(_block) < _block.Length)
        {
            throw ArchiveException.Damaged($"the tar ends at byte {source.Position} without its end mark");
        }

        return _block.AsSpan().ContainsAnyExcept((byte)0);
    }

    private byte[] ReadExtension(in TarHeader header)
    {
        var size = header.Size;
        if (size is < 0 or > ExtensionBytesMax)
        {
            throw ArchiveException.Damaged($"the extended header at byte {header.Offset} of the tar claims {size} bytes");
        }

        var payload = new byte[size];
        BeginContent(size);
        for (var filled = 0; filled < size;)
        {
            var bytes = NextContent();
            bytes.CopyTo(payload.AsSpan(filled));
            filled += bytes.Length;
        }

        SkipContent();
        return payload;
    }

    /// <summary>One zero block was seen: the mark has a second one, and then nothing that counts.</summary>
    private void DrainAfterEnd()
    {
        if (ReadHeaderBlock())
        {
            throw ArchiveException.Damaged($"the tar's end mark at byte {source.Position - (2 * TarHeader.BlockBytes)} is half there");
        }

        for (var bytes = source.Take(long.MaxValue); !bytes.IsEmpty; bytes = source.Take(long.MaxValue))
        {
            HasBytesAfterEnd |= bytes.ContainsAnyExcept((byte)0);
        }
    }

    /// <summary>What the extended headers in front of one member say.</summary>
    private sealed class Extensions(PaxRecords pax)
    {
        private string? _gnuName;
        private string? _gnuLink;

        public PaxRecords Pax { get; } = pax;

        public bool Any { get; private set; }

        /// <summary>Reads an extended header; false when the header is a member's own.</summary>
        public bool TryTake(TarReader reader, in TarHeader header)
        {
            var offset = header.Offset;
            switch (header.TypeFlag)
            {
                case (byte)'x' or (byte)'X':
                    Pax.Read(reader.ReadExtension(header), offset);
                    Any = true;
                    return true;
                case (byte)'g':
                    var global = reader.ReadExtension(header);
                    reader._global.Read(global, offset);
                    Pax.Read(global, offset);
                    return true;
                case (byte)'L':
                    _gnuName = GnuText(reader.ReadExtension(header), offset);
                    Any = true;
                    return true;
                case (byte)'K':
                    _gnuLink = GnuText(reader.ReadExtension(header), offset);
                    Any = true;
                    return true;
                case (byte)'V':
                    reader.BeginContent(header.Size);
                    reader.SkipContent();
                    return true;
                default:
                    return false;
            }
        }

        public string Name(in TarHeader header)
        {
            if ((Pax.Path ?? _gnuName) is { } name)
            {
                return name;
            }

            var own = PaxRecords.DecodeName(header.Name, header.Offset);
            return header.Prefix.IsEmpty ? own : PaxRecords.DecodeName(header.Prefix, header.Offset) + "/" + own;
        }

        public string LinkName(in TarHeader header) => Pax.LinkPath ?? _gnuLink ?? PaxRecords.DecodeName(header.LinkName, header.Offset);

        private static string GnuText(ReadOnlySpan<byte> payload, long offset) => PaxRecords.DecodeName(payload.TrimEnd((byte)0), offset);
    }
}
