namespace ModelFs.Fuse;

/// <summary>Answers every operation with ENOSYS; override what the file system can do.</summary>
public abstract class FuseOperationsBase : IFuseOperations
{
    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual void Forget(ulong nodeId, ulong lookups)
    {
    }

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseAttributesReply>> GetAttributesAsync(FuseRequest request, ulong nodeId, ulong? fileHandle) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseAttributesReply>> SetAttributesAsync(FuseRequest request, ulong nodeId, FuseSetAttributes changes) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<ReadOnlyMemory<byte>>> ReadLinkAsync(FuseRequest request, ulong nodeId) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseEntry>> CreateSymbolicLinkAsync(
        FuseRequest request, ulong parent, string name, ReadOnlyMemory<byte> target) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseEntry>> MakeDirectoryAsync(FuseRequest request, ulong parent, string name, uint mode, uint umask) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseEntry>> MakeNodeAsync(FuseRequest request, ulong parent, string name, uint mode, uint deviceNumber) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> UnlinkAsync(FuseRequest request, ulong parent, string name) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> RemoveDirectoryAsync(FuseRequest request, ulong parent, string name) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> RenameAsync(
        FuseRequest request, ulong parent, string name, ulong newParent, string newName, FuseRenameFlags flags) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseEntry>> LinkAsync(FuseRequest request, ulong nodeId, ulong newParent, string newName) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseCreated>> CreateAsync(
        FuseRequest request, ulong parent, string name, FuseFileFlags flags, uint mode, uint umask) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<int>> ReadAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<int>> WriteAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, ReadOnlyMemory<byte> data, FuseFileFlags flags, FuseWriteFlags writeFlags) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> FlushAsync(FuseRequest request, ulong nodeId, ulong fileHandle, ulong lockOwner) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> ReleaseAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags, FuseReleaseFlags releaseFlags, ulong lockOwner) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> FsyncAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseOpened>> OpenDirectoryAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> ReadDirectoryAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryBuffer buffer) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> ReadDirectoryPlusAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryPlusBuffer buffer) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> ReleaseDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> FsyncDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<FuseFileSystemStatistics>> StatFsAsync(FuseRequest request, ulong nodeId) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<ReadOnlyMemory<byte>>> GetXattrAsync(FuseRequest request, ulong nodeId, string name) =>
        new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<string[]>> ListXattrAsync(FuseRequest request, ulong nodeId) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> SetXattrAsync(
        FuseRequest request, ulong nodeId, string name, ReadOnlyMemory<byte> value, FuseXattrFlags flags) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> RemoveXattrAsync(FuseRequest request, ulong nodeId, string name) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> AccessAsync(FuseRequest request, ulong nodeId, uint mask) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult<long>> SeekAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseSeekWhence whence) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual ValueTask<FuseResult> AllocateAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, long length, uint mode) => new(FuseErrno.ENOSYS);

    /// <inheritdoc/>
    public virtual void Destroy()
    {
    }
}
