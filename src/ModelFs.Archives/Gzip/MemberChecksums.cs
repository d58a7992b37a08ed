using System.Collections.Concurrent;
using System.IO.Hashing;

namespace ModelFs.Archives.Gzip;

/// <summary>
/// Compares the bytes that came out of a gzip file with the checksums of its members. Where the bytes are used, and not where they are inflated: that is one thread's work for a
/// whole archive, and bounds how fast it is loaded.
/// </summary>
/// <remarks>One thread notes, another one checks; what is noted of a block is noted before the block is handed over, or is about its end.</remarks>
internal sealed class MemberChecksums
{
    private readonly ConcurrentQueue<Expected> _expected = new();
    private readonly Crc32 _crc = new();
    private long _position;

    /// <summary>Notes a member's checksum.</summary>
    /// <param name="end">Where its bytes end among all that come out.</param>
    /// <param name="crc">CRC-32 of its bytes (RFC 1952, section 8).</param>
    /// <param name="archivePosition">Where that stands in the archive, for messages.</param>
    public void Note(long end, uint crc, long archivePosition) => _expected.Enqueue(new Expected(end, crc, archivePosition));

    /// <summary>Takes the next bytes; none at the end.</summary>
    /// <exception cref="ArchiveException">A member's bytes are not those that its checksum was made of.</exception>
    public void Check(ReadOnlySpan<byte> bytes)
    {
        while (_expected.TryPeek(out var member) && member.End <= _position + bytes.Length)
        {
            var rest = (int)(member.End - _position);
            _crc.Append(bytes[..rest]);
            if (_crc.GetCurrentHashAsUInt32() != member.Crc)
            {
                throw ArchiveException.Damaged($"the gzip checksum before byte {member.ArchivePosition} does not match the data");
            }

            _crc.Reset();
            _position = member.End;
            bytes = bytes[rest..];
            _expected.TryDequeue(out _);
        }

        _crc.Append(bytes);
        _position += bytes.Length;
    }

    private readonly record struct Expected(long End, uint Crc, long ArchivePosition);
}
