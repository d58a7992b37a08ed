using System.Buffers.Binary;
using System.Numerics;

namespace ModelFs.Stores.Gcs;

/// <summary>The checksum that Google Cloud Storage keeps of every object: CRC-32C (RFC 3720, appendix B.4), written as base64 of its big-endian bytes.</summary>
internal struct Crc32C
{
    private uint _inverted;

    /// <summary>Of all bytes so far.</summary>
    internal readonly uint Value => _inverted;

    /// <summary>As it stands in <c>x-goog-hash</c> and in an object's metadata.</summary>
    internal readonly string Base64
    {
        get
        {
            Span<byte> bytes = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, Value);
            return Convert.ToBase64String(bytes);
        }
    }

    /// <summary>Goes on with more bytes.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        var state = ~_inverted;
        while (bytes.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var b in bytes)
        {
            state = BitOperations.Crc32C(state, b);
        }

        _inverted = ~state;
    }
}
