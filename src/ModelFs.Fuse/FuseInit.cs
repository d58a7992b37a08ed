using System.Buffers.Binary;

namespace ModelFs.Fuse;

/// <summary>The negotiation at the beginning of a mount, without the device.</summary>
internal static class FuseInit
{
    internal const uint Major = 7;
    internal const uint MinorMin = 31;
    internal const uint MinorMax = 45;
    internal const uint MinorPrune = 45;

    /// <summary>fuse_init_out since 7.23.</summary>
    internal const int ReplySize = 64;

    // Not asked for: WRITEBACK_CACHE excludes passthrough; AUTO_INVAL_DATA would drop pages whenever an mtime moves, while the file system
    // here knows when content changes and invalidates by itself (EXPLICIT_INVAL_DATA); DONT_MASK, since the kernel applies the umask;
    // POSIX_LOCKS and FLOCK_LOCKS, since locks of one machine are best kept in its kernel; NO_OPEN_SUPPORT excludes passthrough.
    private const FuseInitFlags Always = FuseInitFlags.AsyncRead | FuseInitFlags.AtomicTruncate | FuseInitFlags.BigWrites
        | FuseInitFlags.ReadDirectoryPlus | FuseInitFlags.ReadDirectoryPlusAuto | FuseInitFlags.AsyncDirectIo
        | FuseInitFlags.ParallelDirectoryOperations | FuseInitFlags.AbortError | FuseInitFlags.MaxPages | FuseInitFlags.CacheSymbolicLinks
        | FuseInitFlags.ExplicitInvalidateData | FuseInitFlags.InitExtended | FuseInitFlags.HasExpireOnly | FuseInitFlags.NoExportSupport
        | FuseInitFlags.HasResend;

    private const ulong LowBits = 0xFFFF_FFFF;

    /// <summary>Decides on what kernel and options both want.</summary>
    /// <param name="payload">
    /// fuse_init_in: major u32 @0, minor @4, max_readahead @8, flags @12; from 7.36 on also flags2 @16 and 44 reserved bytes. At least 16 bytes.
    /// </param>
    /// <param name="options">What the session wants.</param>
    internal static FuseNegotiated Negotiate(ReadOnlySpan<byte> payload, FuseSessionOptions options)
    {
        uint minor = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]);
        ulong offered = BinaryPrimitives.ReadUInt32LittleEndian(payload[12..]);
        bool hasFlags2 = (offered & (ulong)FuseInitFlags.InitExtended) != 0 && payload.Length >= 20;
        if (hasFlags2)
        {
            offered |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(payload[16..]) << 32;
        }

        FuseInitFlags wanted = Always
            | (options.WantPassthrough ? FuseInitFlags.Passthrough : FuseInitFlags.None)
            | (options.FilesHaveNoSetId ? FuseInitFlags.HandleKillPrivilegesV2 : FuseInitFlags.None)
            | (options.AllowDirectIoMap ? FuseInitFlags.DirectIoAllowMap : FuseInitFlags.None);
        FuseInitFlags flags = wanted & (FuseInitFlags)offered;
        return new FuseNegotiated
        {
            Minor = Math.Min(minor, MinorMax),
            Flags = flags,
            MaxWrite = options.MaxWrite,
            MaxReadAhead = Math.Min(options.MaxReadAhead, BinaryPrimitives.ReadUInt32LittleEndian(payload[8..])),
            MaxStackDepth = flags.HasFlag(FuseInitFlags.Passthrough) ? options.MaxStackDepth : 0,
        };
    }

    /// <summary>
    /// fuse_init_out: major u32 @0, minor @4, max_readahead @8, flags @12, max_background u16 @16, congestion_threshold u16 @18,
    /// max_write u32 @20, time_gran u32 @24, max_pages u16 @28, map_alignment u16 @30, flags2 u32 @32, max_stack_depth u32 @36,
    /// request_timeout u16 @40, 22 reserved bytes. A request timeout stays 0: it would abort the whole mount over one slow download.
    /// </summary>
    internal static void WriteReply(Span<byte> to, FuseNegotiated negotiated, FuseSessionOptions options, int pageSize)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Major);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], negotiated.Minor);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], negotiated.MaxReadAhead);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], (uint)((ulong)negotiated.Flags & LowBits));
        BinaryPrimitives.WriteUInt16LittleEndian(to[16..], options.MaxBackground);
        BinaryPrimitives.WriteUInt16LittleEndian(to[18..], options.CongestionThreshold);
        BinaryPrimitives.WriteInt32LittleEndian(to[20..], negotiated.MaxWrite);

        // Times are kept to the nanosecond.
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], 1);
        int pages = (negotiated.MaxWrite + pageSize - 1) / pageSize;
        BinaryPrimitives.WriteUInt16LittleEndian(to[28..], (ushort)Math.Min(pages, ushort.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(to[32..], (uint)((ulong)negotiated.Flags >> 32));
        BinaryPrimitives.WriteInt32LittleEndian(to[36..], negotiated.MaxStackDepth);
    }

    /// <summary>
    /// The answer to a kernel of a later major version: our own version in the same structure, whereupon it sends another INIT in our version.
    /// </summary>
    internal static void WriteOurVersion(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Major);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], MinorMax);
    }
}
