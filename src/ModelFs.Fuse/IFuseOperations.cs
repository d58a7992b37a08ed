namespace ModelFs.Fuse;

/// <summary>
/// A file system as the kernel asks for it: one method per operation of the protocol, answered by its return value, so that a reply can be
/// neither forgotten nor sent twice.
/// </summary>
/// <remarks>
/// <para>Methods are called by several threads at the same time, and again before an earlier task has completed. A method that completes
/// at once is answered by the thread that read the request and allocates nothing; one that must wait returns its task and blocks nobody.
/// Never block in a method: with the reader threads asleep the whole mount stands still, interrupts included.</para>
/// <para>LOOKUP, GETATTR and READDIR are better answered from metadata at once: the kernel holds folder locks while it waits for them.</para>
/// <para>An exception that escapes is logged and answered with EIO; an <see cref="OperationCanceledException"/> of an interrupted request
/// with EINTR.</para>
/// <para>Names are valid UTF-8 without slash or NUL; a request with any other name is answered with EINVAL and not passed on.
/// A <see cref="Memory{T}"/> that a method is given is its own until its task has completed, and must not be touched after that.</para>
/// <para>An answer that the kernel does not take any more (the caller was killed meanwhile) is undone by the session: it calls
/// <see cref="Forget"/> for an entry, <see cref="ReleaseAsync"/> or <see cref="ReleaseDirectoryAsync"/> for an open.</para>
/// </remarks>
public interface IFuseOperations
{
    /// <summary>LOOKUP: finds a name in a folder and counts one look-up of its node. Answer ENOENT, or a negative entry that the kernel may keep.</summary>
    ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name);

    /// <summary>FORGET and BATCH_FORGET: the kernel gives back look-ups. At zero the node may be dropped. There is no answer; must not throw.</summary>
    /// <param name="nodeId">The node.</param>
    /// <param name="lookups">How many look-ups to subtract.</param>
    void Forget(ulong nodeId, ulong lookups);

    /// <summary>GETATTR.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="fileHandle">The open file through which it is asked (fstat), if the kernel says so.</param>
    ValueTask<FuseResult<FuseAttributesReply>> GetAttributesAsync(FuseRequest request, ulong nodeId, ulong? fileHandle);

    /// <summary>SETATTR: chmod, chown, truncate and utimes; answers the attributes after the change.</summary>
    ValueTask<FuseResult<FuseAttributesReply>> SetAttributesAsync(FuseRequest request, ulong nodeId, FuseSetAttributes changes);

    /// <summary>READLINK: the target's bytes, without a NUL, at most 4,095.</summary>
    ValueTask<FuseResult<ReadOnlyMemory<byte>>> ReadLinkAsync(FuseRequest request, ulong nodeId);

    /// <summary>SYMLINK.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="parent">The folder.</param>
    /// <param name="name">The link's name.</param>
    /// <param name="target">What it points at: any bytes without NUL, valid UTF-8 or not, only until the task has completed.</param>
    ValueTask<FuseResult<FuseEntry>> CreateSymbolicLinkAsync(FuseRequest request, ulong parent, string name, ReadOnlyMemory<byte> target);

    /// <summary>MKDIR.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="parent">The folder.</param>
    /// <param name="name">The new name.</param>
    /// <param name="mode">Permission bits, the caller's umask already applied.</param>
    /// <param name="umask">The caller's umask, for information.</param>
    ValueTask<FuseResult<FuseEntry>> MakeDirectoryAsync(FuseRequest request, ulong parent, string name, uint mode, uint umask);

    /// <summary>MKNOD: a file that is not opened, or a FIFO, socket or device.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="parent">The folder.</param>
    /// <param name="name">The new name.</param>
    /// <param name="mode">File type and permission bits, the caller's umask already applied.</param>
    /// <param name="deviceNumber">Of a device, in the kernel's 32-bit encoding.</param>
    ValueTask<FuseResult<FuseEntry>> MakeNodeAsync(FuseRequest request, ulong parent, string name, uint mode, uint deviceNumber);

    /// <summary>UNLINK. The node lives on while it is open or looked up.</summary>
    ValueTask<FuseResult> UnlinkAsync(FuseRequest request, ulong parent, string name);

    /// <summary>RMDIR.</summary>
    ValueTask<FuseResult> RemoveDirectoryAsync(FuseRequest request, ulong parent, string name);

    /// <summary>RENAME and RENAME2. A flag that is not implemented: EINVAL.</summary>
    ValueTask<FuseResult> RenameAsync(FuseRequest request, ulong parent, string name, ulong newParent, string newName, FuseRenameFlags flags);

    /// <summary>LINK: a second name for a node; answers its entry and counts one look-up.</summary>
    ValueTask<FuseResult<FuseEntry>> LinkAsync(FuseRequest request, ulong nodeId, ulong newParent, string newName);

    /// <summary>OPEN. O_CREAT, O_EXCL and O_NOCTTY never arrive here; O_TRUNC does and cuts the file. ENOSYS is remembered by the kernel for all files.</summary>
    ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags);

    /// <summary>CREATE: makes a file and opens it; or opens one that somebody else has made meanwhile, unless O_EXCL.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="parent">The folder.</param>
    /// <param name="name">The new name.</param>
    /// <param name="flags">The flags of open.</param>
    /// <param name="mode">File type and permission bits, the caller's umask already applied.</param>
    /// <param name="umask">The caller's umask, for information.</param>
    ValueTask<FuseResult<FuseCreated>> CreateAsync(FuseRequest request, ulong parent, string name, FuseFileFlags flags, uint mode, uint umask);

    /// <summary>READ: fills the buffer and answers how many bytes it put there. Fewer than the buffer holds means the end of the file.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="fileHandle">The open file.</param>
    /// <param name="offset">Where to begin, in bytes; not negative.</param>
    /// <param name="buffer">Where to put the bytes; as long as the kernel asks for, and page-aligned.</param>
    /// <param name="flags">The open file's flags at this moment.</param>
    ValueTask<FuseResult<int>> ReadAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags);

    /// <summary>WRITE: answers how many bytes it took. Fewer than given is a short write for the caller.</summary>
    /// <param name="request">Who asks; unknown (pid 0) with <see cref="FuseWriteFlags.Cache"/>.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="fileHandle">The open file.</param>
    /// <param name="offset">Where to begin, in bytes; not negative.</param>
    /// <param name="data">The bytes, page-aligned.</param>
    /// <param name="flags">The open file's flags at this moment. With O_APPEND the offset is still the kernel's idea of the end.</param>
    /// <param name="writeFlags">What the kernel says about this write.</param>
    ValueTask<FuseResult<int>> WriteAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, ReadOnlyMemory<byte> data, FuseFileFlags flags, FuseWriteFlags writeFlags);

    /// <summary>FLUSH: a descriptor of the open file was closed. Comes once per close, so more than once after dup or fork; its error is close's.</summary>
    ValueTask<FuseResult> FlushAsync(FuseRequest request, ulong nodeId, ulong fileHandle, ulong lockOwner);

    /// <summary>RELEASE: the last descriptor and mapping are gone (with passthrough: the last descriptor). Comes exactly once per open; nobody sees its error.</summary>
    ValueTask<FuseResult> ReleaseAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags, FuseReleaseFlags releaseFlags, ulong lockOwner);

    /// <summary>FSYNC.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="fileHandle">The open file.</param>
    /// <param name="dataOnly">True for fdatasync.</param>
    ValueTask<FuseResult> FsyncAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly);

    /// <summary>OPENDIR.</summary>
    ValueTask<FuseResult<FuseOpened>> OpenDirectoryAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags);

    /// <summary>READDIR: adds entries until the buffer is full or the folder ends. An empty buffer is the end.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The folder.</param>
    /// <param name="fileHandle">The open folder.</param>
    /// <param name="offset">0 for the beginning, or the <c>nextOffset</c> of the entry after which to go on.</param>
    /// <param name="buffer">Takes the entries.</param>
    ValueTask<FuseResult> ReadDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryBuffer buffer);

    /// <summary>READDIRPLUS: like READDIR, with attributes; see <see cref="FuseDirectoryPlusBuffer"/> for what counts as a look-up.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The folder.</param>
    /// <param name="fileHandle">The open folder.</param>
    /// <param name="offset">0 for the beginning, or the <c>nextOffset</c> of the entry after which to go on.</param>
    /// <param name="buffer">Takes the entries.</param>
    ValueTask<FuseResult> ReadDirectoryPlusAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryPlusBuffer buffer);

    /// <summary>RELEASEDIR: exactly once per OPENDIR.</summary>
    ValueTask<FuseResult> ReleaseDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags);

    /// <summary>FSYNCDIR.</summary>
    ValueTask<FuseResult> FsyncDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly);

    /// <summary>STATFS.</summary>
    ValueTask<FuseResult<FuseFileSystemStatistics>> StatFsAsync(FuseRequest request, ulong nodeId);

    /// <summary>GETXATTR: the whole value, or ENODATA. Probes of the size and too small buffers are the session's.</summary>
    ValueTask<FuseResult<ReadOnlyMemory<byte>>> GetXattrAsync(FuseRequest request, ulong nodeId, string name);

    /// <summary>LISTXATTR: the full names. Probes of the size and too small buffers are the session's.</summary>
    ValueTask<FuseResult<string[]>> ListXattrAsync(FuseRequest request, ulong nodeId);

    /// <summary>SETXATTR.</summary>
    ValueTask<FuseResult> SetXattrAsync(FuseRequest request, ulong nodeId, string name, ReadOnlyMemory<byte> value, FuseXattrFlags flags);

    /// <summary>REMOVEXATTR: ENODATA if there is none.</summary>
    ValueTask<FuseResult> RemoveXattrAsync(FuseRequest request, ulong nodeId, string name);

    /// <summary>ACCESS. Never comes with the mount option default_permissions. ENOSYS, remembered by the kernel, permits everything.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="mask">R_OK 4, W_OK 2, X_OK 1, F_OK 0.</param>
    ValueTask<FuseResult> AccessAsync(FuseRequest request, ulong nodeId, uint mask);

    /// <summary>LSEEK: answers the offset found. ENOSYS, remembered by the kernel, takes the whole file for data.</summary>
    ValueTask<FuseResult<long>> SeekAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseSeekWhence whence);

    /// <summary>FALLOCATE. ENOSYS is remembered by the kernel and seen as EOPNOTSUPP.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="nodeId">The node.</param>
    /// <param name="fileHandle">The open file.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="mode">FALLOC_FL_*: 0 allocates and extends, KEEP_SIZE 1, PUNCH_HOLE 2.</param>
    ValueTask<FuseResult> AllocateAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, long length, uint mode);

    /// <summary>DESTROY: the file system is gone. Comes at most once, and not at a lazy unmount: do nothing here that must be done.</summary>
    void Destroy();
}
