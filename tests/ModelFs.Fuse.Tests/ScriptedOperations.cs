using System.Collections.Concurrent;
using System.Globalization;

namespace ModelFs.Fuse.Tests;

/// <summary>Writes down every call and gives fixed answers, with another value in every field.</summary>
internal sealed class ScriptedOperations : IFuseOperations
{
    internal static readonly FuseAttributes Attributes = new()
    {
        Inode = 0x1122334455667788,
        Size = 0x0102030405,
        Blocks = 7,
        AccessTime = new FuseTime(1000, 1),
        ModificationTime = new FuseTime(2000, 2),
        ChangeTime = new FuseTime(3000, 3),
        Mode = 0x81A4,
        LinkCount = 2,
        Uid = 1001,
        Gid = 1002,
        DeviceNumber = 0x803,
        BlockSize = 4096,
    };

    internal static readonly FuseEntry Entry = new()
    {
        NodeId = 42,
        Generation = 7,
        EntryValid = TimeSpan.FromSeconds(1.5),
        AttributesValid = TimeSpan.FromSeconds(2.25),
        Attributes = Attributes,
    };

    internal static readonly FuseOpened Opened = new(0xabcd, FuseOpenFlags.DirectIo | FuseOpenFlags.KeepCache);

    internal ConcurrentQueue<string> Calls { get; } = new();

    internal FuseOpened OpenAnswer { get; set; } = Opened;

    public ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name) =>
        Say(Entry, $"lookup {parent} {name} by {request.Uid}:{request.Gid} pid {request.Pid}");

    public void Forget(ulong nodeId, ulong lookups) => Calls.Enqueue($"forget {nodeId} {lookups}");

    public ValueTask<FuseResult<FuseAttributesReply>> GetAttributesAsync(FuseRequest request, ulong nodeId, ulong? fileHandle) =>
        Say(new FuseAttributesReply(Attributes, TimeSpan.FromSeconds(2.25)), $"getattr {nodeId} handle {fileHandle:x}");

    public ValueTask<FuseResult<FuseAttributesReply>> SetAttributesAsync(FuseRequest request, ulong nodeId, FuseSetAttributes changes) =>
        Say(new FuseAttributesReply(Attributes, TimeSpan.FromSeconds(2.25)), $"setattr {nodeId} {changes}");

    public ValueTask<FuseResult<ReadOnlyMemory<byte>>> ReadLinkAsync(FuseRequest request, ulong nodeId) =>
        Say<ReadOnlyMemory<byte>>("../t\u00ff"u8.ToArray(), $"readlink {nodeId}");

    public ValueTask<FuseResult<FuseEntry>> CreateSymbolicLinkAsync(FuseRequest request, ulong parent, string name, ReadOnlyMemory<byte> target) =>
        Say(Entry, $"symlink {parent} {name} {Convert.ToHexStringLower(target.Span)}");

    public ValueTask<FuseResult<FuseEntry>> MakeDirectoryAsync(FuseRequest request, ulong parent, string name, uint mode, uint umask) =>
        Say(Entry, $"mkdir {parent} {name} {Octal(mode)} {Octal(umask)}");

    public ValueTask<FuseResult<FuseEntry>> MakeNodeAsync(FuseRequest request, ulong parent, string name, uint mode, uint deviceNumber) =>
        Say(Entry, $"mknod {parent} {name} {Octal(mode)} {deviceNumber:x}");

    public ValueTask<FuseResult> UnlinkAsync(FuseRequest request, ulong parent, string name) => Done($"unlink {parent} {name}");

    public ValueTask<FuseResult> RemoveDirectoryAsync(FuseRequest request, ulong parent, string name) => Done($"rmdir {parent} {name}");

    public ValueTask<FuseResult> RenameAsync(
        FuseRequest request, ulong parent, string name, ulong newParent, string newName, FuseRenameFlags flags) =>
        Done($"rename {parent} {name} {newParent} {newName} {flags}");

    public ValueTask<FuseResult<FuseEntry>> LinkAsync(FuseRequest request, ulong nodeId, ulong newParent, string newName) =>
        Say(Entry, $"link {nodeId} {newParent} {newName}");

    public ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
        Say(OpenAnswer, $"open {nodeId} {flags.AccessMode} truncate {flags.IsTruncate} {flags}");

    public ValueTask<FuseResult<FuseCreated>> CreateAsync(
        FuseRequest request, ulong parent, string name, FuseFileFlags flags, uint mode, uint umask) =>
        Say(new FuseCreated(Entry, OpenAnswer), $"create {parent} {name} {flags.AccessMode} {Octal(mode)} {Octal(umask)}");

    public ValueTask<FuseResult<int>> ReadAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags)
    {
        "bytes"u8.CopyTo(buffer.Span);
        return Say(5, $"read {nodeId} {fileHandle:x} {offset} {buffer.Length} {flags}");
    }

    public ValueTask<FuseResult<int>> WriteAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, ReadOnlyMemory<byte> data, FuseFileFlags flags, FuseWriteFlags writeFlags) =>
        Say(data.Length, $"write {nodeId} {fileHandle:x} {offset} {Convert.ToHexStringLower(data.Span)} {flags} {writeFlags}");

    public ValueTask<FuseResult> FlushAsync(FuseRequest request, ulong nodeId, ulong fileHandle, ulong lockOwner) =>
        Done($"flush {nodeId} {fileHandle:x} {lockOwner}");

    public ValueTask<FuseResult> ReleaseAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags, FuseReleaseFlags releaseFlags, ulong lockOwner) =>
        Done($"release {nodeId} {fileHandle:x} {flags} {releaseFlags} {lockOwner}");

    public ValueTask<FuseResult> FsyncAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly) =>
        Done($"fsync {nodeId} {fileHandle:x} {dataOnly}");

    public ValueTask<FuseResult<FuseOpened>> OpenDirectoryAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
        Say(OpenAnswer, $"opendir {nodeId} {flags}");

    public ValueTask<FuseResult> ReadDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryBuffer buffer)
    {
        buffer.TryAdd("a", 10, 0x41ED, 4);
        buffer.TryAdd("bc\u00e9", 11, 0x81A4, 5);
        return Done($"readdir {nodeId} {fileHandle:x} {offset}");
    }

    public ValueTask<FuseResult> ReadDirectoryPlusAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryPlusBuffer buffer)
    {
        buffer.TryAdd(".", 10, 0x41ED, 4);
        buffer.TryAdd("bc\u00e9", Entry, 5);
        return Done($"readdirplus {nodeId} {fileHandle:x} {offset}");
    }

    public ValueTask<FuseResult> ReleaseDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags) =>
        Done($"releasedir {nodeId} {fileHandle:x} {flags}");

    public ValueTask<FuseResult> FsyncDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly) =>
        Done($"fsyncdir {nodeId} {fileHandle:x} {dataOnly}");

    public ValueTask<FuseResult<FuseFileSystemStatistics>> StatFsAsync(FuseRequest request, ulong nodeId) =>
        Say(
            new FuseFileSystemStatistics
            {
                Blocks = 1,
                BlocksFree = 2,
                BlocksAvailable = 3,
                Files = 4,
                FilesFree = 5,
                BlockSize = 4096,
                NameLengthMax = 255,
                FragmentSize = 512,
            },
            $"statfs {nodeId}");

    public ValueTask<FuseResult<ReadOnlyMemory<byte>>> GetXattrAsync(FuseRequest request, ulong nodeId, string name) =>
        Say<ReadOnlyMemory<byte>>("value"u8.ToArray(), $"getxattr {nodeId} {name}");

    public ValueTask<FuseResult<string[]>> ListXattrAsync(FuseRequest request, ulong nodeId) =>
        Say<string[]>(["user.a", "user.b"], $"listxattr {nodeId}");

    public ValueTask<FuseResult> SetXattrAsync(FuseRequest request, ulong nodeId, string name, ReadOnlyMemory<byte> value, FuseXattrFlags flags) =>
        Done($"setxattr {nodeId} {name} {Convert.ToHexStringLower(value.Span)} {flags}");

    public ValueTask<FuseResult> RemoveXattrAsync(FuseRequest request, ulong nodeId, string name) => Done($"removexattr {nodeId} {name}");

    public ValueTask<FuseResult> AccessAsync(FuseRequest request, ulong nodeId, uint mask) => Done($"access {nodeId} {mask}");

    public ValueTask<FuseResult<long>> SeekAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseSeekWhence whence) =>
        Say(0x4000L, $"lseek {nodeId} {fileHandle:x} {offset} {whence}");

    public ValueTask<FuseResult> AllocateAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, long length, uint mode) =>
        Done($"fallocate {nodeId} {fileHandle:x} {offset} {length} {mode}");

    public void Destroy() => Calls.Enqueue("destroy");

    private static string Octal(uint mode) => Convert.ToString(mode, 8).ToString(CultureInfo.InvariantCulture);

    private ValueTask<FuseResult<T>> Say<T>(T answer, string call)
    {
        Calls.Enqueue(call);
        return new(answer);
    }

    private ValueTask<FuseResult> Done(string call)
    {
        Calls.Enqueue(call);
        return new(FuseResult.Success);
    }
}
