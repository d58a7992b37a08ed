using System.Buffers.Binary;

namespace ModelFs.Fuse;

/// <summary>
/// What kernel and session have agreed on. It holds for as long as the mount lives, longer than the daemon: a restarted one reads it back
/// and goes on with <see cref="FuseSession.Resume"/>.
/// </summary>
public sealed record FuseNegotiated
{
    /// <summary>Length of <see cref="ToBytes"/> in bytes.</summary>
    public const int BlobSize = 32;

    // "MFN1" in the file's byte order.
    private const uint Magic = 0x314E464D;

    /// <summary>The minor version spoken, 31 to 45.</summary>
    public required uint Minor { get; init; }

    /// <summary>What was agreed on.</summary>
    public required FuseInitFlags Flags { get; init; }

    /// <summary>The largest WRITE in bytes.</summary>
    public required int MaxWrite { get; init; }

    /// <summary>The read-ahead in bytes.</summary>
    public required uint MaxReadAhead { get; init; }

    /// <summary>The stack depth of passthrough, 0 without it.</summary>
    public required int MaxStackDepth { get; init; }

    /// <summary>True when the kernel knows passthrough and has granted it; the right to register backing files is another matter.</summary>
    public bool IsPassthrough => Flags.HasFlag(FuseInitFlags.Passthrough) && MaxStackDepth > 0;

    /// <summary>True when a restarted daemon can have the unanswered requests sent again (kernel 6.9 and later).</summary>
    public bool CanResend => Flags.HasFlag(FuseInitFlags.HasResend);

    /// <summary>True when the kernel can be told to forget nodes (kernel 6.18 and later).</summary>
    public bool CanPrune => Minor >= FuseInit.MinorPrune;

    /// <summary>Reads back what <see cref="ToBytes"/> wrote.</summary>
    /// <param name="blob">The bytes.</param>
    /// <exception cref="InvalidDataException">The bytes are of another length or kind.</exception>
    public static FuseNegotiated FromBytes(ReadOnlySpan<byte> blob)
    {
        if (blob.Length != BlobSize || BinaryPrimitives.ReadUInt32LittleEndian(blob) != Magic)
        {
            throw new InvalidDataException($"These {blob.Length} bytes are not the negotiated state of a FUSE session.");
        }

        var negotiated = new FuseNegotiated
        {
            Minor = BinaryPrimitives.ReadUInt32LittleEndian(blob[4..]),
            Flags = (FuseInitFlags)BinaryPrimitives.ReadUInt64LittleEndian(blob[8..]),
            MaxWrite = BinaryPrimitives.ReadInt32LittleEndian(blob[16..]),
            MaxReadAhead = BinaryPrimitives.ReadUInt32LittleEndian(blob[20..]),
            MaxStackDepth = BinaryPrimitives.ReadInt32LittleEndian(blob[24..]),
        };
        return negotiated is { Minor: >= FuseInit.MinorMin and <= FuseInit.MinorMax, MaxWrite: >= 4096 and <= 64 * 1024 * 1024 }
            ? negotiated
            : throw new InvalidDataException($"A FUSE session with minor version {negotiated.Minor} and writes of {negotiated.MaxWrite} bytes cannot be.");
    }

    /// <summary>The state as bytes: "MFN1" @0, minor u32 @4, flags u64 @8, max_write i32 @16, max_readahead u32 @20, stack depth i32 @24, 0 @28.</summary>
    public byte[] ToBytes()
    {
        byte[] blob = new byte[BlobSize];
        BinaryPrimitives.WriteUInt32LittleEndian(blob, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(blob.AsSpan(4), Minor);
        BinaryPrimitives.WriteUInt64LittleEndian(blob.AsSpan(8), (ulong)Flags);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(16), MaxWrite);
        BinaryPrimitives.WriteUInt32LittleEndian(blob.AsSpan(20), MaxReadAhead);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(24), MaxStackDepth);
        return blob;
    }
}
