using System.Buffers.Binary;
using System.Numerics;

namespace ModelFs.Stores.Gcs;

/// <summary>The checksum that Google Cloud Storage keeps of every object: CRC-32C (RFC 3720, appendix B.4), written as base64 of its big-endian bytes.</summary>
internal struct Crc32C
{
    private const uint ReversedPolynomial = 0x82F63B78;

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

    /// <summary>Of the bytes of this one and then those of another, by multiplication of polynomials over GF(2).</summary>
    /// <param name="next">Of the bytes that follow.</param>
    /// <param name="nextLength">How many these are.</param>
    internal readonly Crc32C FollowedBy(Crc32C next, long nextLength)
    {
        // A matrix that moves a checksum over one zero bit, squared until it moves over one zero byte, and on for every bit of the length.
        Span<uint> matrix = stackalloc uint[32];
        Span<uint> squared = stackalloc uint[32];
        matrix[0] = ReversedPolynomial;
        for (var bit = 1; bit < matrix.Length; bit++)
        {
            matrix[bit] = 1u << (bit - 1);
        }

        var moved = Value;
        for (var bits = nextLength * 8; bits > 0; bits >>= 1)
        {
            if ((bits & 1) != 0)
            {
                moved = Times(matrix, moved);
            }

            for (var bit = 0; bit < matrix.Length; bit++)
            {
                squared[bit] = Times(matrix, matrix[bit]);
            }

            squared.CopyTo(matrix);
        }

        return new Crc32C { _inverted = moved ^ next.Value };
    }

    private static uint Times(ReadOnlySpan<uint> matrix, uint vector)
    {
        var sum = 0u;
        for (var bit = 0; vector != 0; bit++, vector >>= 1)
        {
            sum ^= (vector & 1) != 0 ? matrix[bit] : 0;
        }

        return sum;
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
