using System.Collections.Concurrent;

namespace ModelFs.Fuse.Tests;

/// <summary>Look-ups, reads and writes as a test sets them; everything else is ENOSYS.</summary>
internal sealed class DelegatingOperations : FuseOperationsBase
{
    internal Func<FuseRequest, string, ValueTask<FuseResult<FuseEntry>>> OnLookup { get; init; } = (_, _) => new(FuseErrno.ENOENT);

    internal Func<FuseRequest, Memory<byte>, ValueTask<FuseResult<int>>> OnRead { get; init; } = (_, _) => new(0);

    internal Func<FuseRequest, ReadOnlyMemory<byte>, ValueTask<FuseResult<int>>> OnWrite { get; init; } = (_, data) => new(data.Length);

    internal Func<FuseDirectoryPlusBuffer, ValueTask<FuseResult>> OnReadDirectoryPlus { get; init; } = _ => new(FuseResult.Success);

    internal Func<ValueTask<FuseResult<FuseOpened>>> OnOpen { get; init; } = () => new(FuseErrno.ENOSYS);

    internal ConcurrentQueue<(ulong NodeId, ulong Lookups)> Forgotten { get; } = new();

    internal ConcurrentQueue<ulong> Released { get; } = new();

    public override ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name) => OnLookup(request, name);

    public override void Forget(ulong nodeId, ulong lookups) => Forgotten.Enqueue((nodeId, lookups));

    public override ValueTask<FuseResult<int>> ReadAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags) => OnRead(request, buffer);

    public override ValueTask<FuseResult<int>> WriteAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, ReadOnlyMemory<byte> data, FuseFileFlags flags, FuseWriteFlags writeFlags) =>
        OnWrite(request, data);

    public override ValueTask<FuseResult> ReadDirectoryPlusAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryPlusBuffer buffer) => OnReadDirectoryPlus(buffer);

    public override ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) => OnOpen();

    public override ValueTask<FuseResult> ReleaseAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags, FuseReleaseFlags releaseFlags, ulong lockOwner)
    {
        Released.Enqueue(fileHandle);
        return new(FuseResult.Success);
    }
}
