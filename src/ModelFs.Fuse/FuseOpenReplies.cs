namespace ModelFs.Fuse;

/// <summary>fuse_open_out of a file.</summary>
internal readonly struct OpenedReply : IFuseReply<FuseResult<FuseOpened>>
{
    public static void Send(FuseCall call, in FuseResult<FuseOpened> result)
    {
        FuseOpened opened = result.Value;
        if (!OpenRules.TryRefuse(call, opened))
        {
            Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + FuseWire.OpenedSize];
            FuseWire.WriteOpened(reply[FuseWire.OutHeaderSize..], opened);
            if (call.Send(reply))
            {
                return;
            }
        }

        call.ReleaseUndelivered(call.NodeId, opened.FileHandle);
    }
}

/// <summary>fuse_open_out of a folder.</summary>
internal readonly struct OpenedDirectoryReply : IFuseReply<FuseResult<FuseOpened>>
{
    public static void Send(FuseCall call, in FuseResult<FuseOpened> result)
    {
        FuseOpened opened = result.Value;
        Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + FuseWire.OpenedSize];
        FuseWire.WriteOpened(reply[FuseWire.OutHeaderSize..], opened);
        if (!call.Send(reply))
        {
            call.ReleaseUndelivered(call.NodeId, opened.FileHandle, isDirectory: true);
        }
    }
}

/// <summary>fuse_entry_out and fuse_open_out of a new file.</summary>
internal readonly struct CreatedReply : IFuseReply<FuseResult<FuseCreated>>
{
    public static void Send(FuseCall call, in FuseResult<FuseCreated> result)
    {
        FuseCreated created = result.Value;
        if (!OpenRules.TryRefuse(call, created.Opened))
        {
            Span<byte> reply = stackalloc byte[FuseWire.OutHeaderSize + FuseWire.CreatedSize];
            reply.Clear();
            FuseWire.WriteCreated(reply[FuseWire.OutHeaderSize..], created);
            if (call.Send(reply))
            {
                return;
            }
        }

        call.ReleaseUndelivered(created.Entry.NodeId, created.Opened.FileHandle);
        call.Operations.Forget(created.Entry.NodeId, 1);
    }
}

/// <summary>The records that READDIR has collected.</summary>
internal readonly struct DirectoryReply : IFuseReply<FuseResult>
{
    public static void Send(FuseCall call, in FuseResult result) => call.SendData(call.Listing!.Length);
}

/// <summary>The records that READDIRPLUS has collected, each with a look-up.</summary>
internal readonly struct DirectoryPlusReply : IFuseReply<FuseResult>
{
    public static void Send(FuseCall call, in FuseResult result)
    {
        if (!call.SendData(call.ListingPlus!.Length))
        {
            call.ListingPlus.ForgetAll(call.Operations);
        }
    }
}

/// <summary>What the kernel accepts together in the reply to an open.</summary>
internal static class OpenRules
{
    private const FuseOpenFlags NeverWithPassthrough = FuseOpenFlags.KeepCache | FuseOpenFlags.NonSeekable | FuseOpenFlags.CacheDirectory;

    /// <summary>Answers EIO, and says why, where the kernel would answer EIO to the program and say nothing.</summary>
    internal static bool TryRefuse(FuseCall call, in FuseOpened opened)
    {
        string? reason = Describe(opened);
        if (reason is not null)
        {
            call.Fail(new ArgumentException(reason));
        }

        return reason is not null;
    }

    /// <summary>What is wrong with an answer, or null.</summary>
    internal static string? Describe(in FuseOpened opened)
    {
        bool isPassthrough = opened.OpenFlags.HasFlag(FuseOpenFlags.Passthrough);
        if (isPassthrough && (opened.OpenFlags & NeverWithPassthrough) != 0)
        {
            return $"An open can't be both {FuseOpenFlags.Passthrough} and {opened.OpenFlags & NeverWithPassthrough}.";
        }

        return isPassthrough == opened.BackingId > 0
            ? null
            : $"Backing id {opened.BackingId} with open flags {opened.OpenFlags}: a backing id goes with {FuseOpenFlags.Passthrough}, and it with one.";
    }
}
