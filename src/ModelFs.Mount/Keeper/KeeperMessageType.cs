namespace ModelFs.Mount.Keeper;

/// <summary>What a message on the keeper's channel asks or tells; the numbers are those of <c>native/keeper/channel.h</c>.</summary>
internal enum KeeperMessageType : uint
{
    /// <summary>Keeper to daemon, first of all: who the keeper is, and what an earlier daemon left.</summary>
    Hello = 1,

    /// <summary>Mount now; the answer carries the <c>/dev/fuse</c> descriptor.</summary>
    Mount = 2,

    /// <summary>The mount is served from now on.</summary>
    Ready = 3,

    /// <summary>The daemon gives up and is not started again; the payload says why.</summary>
    Fail = 4,

    /// <summary>The payload is what the next daemon's hello brings back.</summary>
    Save = 5,

    /// <summary>Register a file with the kernel, by node id.</summary>
    BackingOpen = 6,

    /// <summary>Forget a registered file.</summary>
    BackingClose = 7,

    /// <summary>Take the mount away.</summary>
    Unmount = 8,
}
