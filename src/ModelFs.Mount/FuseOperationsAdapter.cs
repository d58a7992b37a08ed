using System.Text;
using Microsoft.Extensions.Logging;
using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.FileSystem;
using ModelFs.Fuse;
using ModelFs.Models;

namespace ModelFs.Mount;

/// <summary>Translates between the kernel's protocol and the file system: shapes, error numbers, and how the kernel is to treat an open file. No rules of its own.</summary>
public sealed partial class FuseOperationsAdapter : FuseOperationsBase
{
    private const int DotEntries = 2;

    private readonly ModelFileSystem _fileSystem;
    private readonly PassthroughTable _passthrough;
    private readonly MountOwner _owner;
    private readonly ILogger _logger;

    /// <summary>Makes the adapter.</summary>
    /// <param name="fileSystem">What the requests are for.</param>
    /// <param name="passthrough">Which opens the kernel serves by itself.</param>
    /// <param name="owner">Whose everything is.</param>
    /// <param name="logger">For models that can't be used.</param>
    public FuseOperationsAdapter(ModelFileSystem fileSystem, PassthroughTable passthrough, MountOwner owner, ILogger<FuseOperationsAdapter> logger)
    {
        _fileSystem = fileSystem;
        _passthrough = passthrough;
        _owner = owner;
        _logger = logger;
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name) =>
        Answer(_fileSystem.LookupAsync(parent, name, request.Interrupted), Entry);

    /// <inheritdoc/>
    public override void Forget(ulong nodeId, ulong lookups)
    {
        _fileSystem.Forget(nodeId, lookups);
        _passthrough.Forget(nodeId);
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseAttributesReply>> GetAttributesAsync(FuseRequest request, ulong nodeId, ulong? fileHandle) =>
        new(Reply(_fileSystem.GetAttributes(nodeId)));

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseAttributesReply>> SetAttributesAsync(FuseRequest request, ulong nodeId, FuseSetAttributes changes)
    {
        var change = new FsChange(
            changes.FileHandle,
            changes.Mode,
            changes.Size,
            changes.AccessTime is { } access ? new UnixTime(access.Seconds, access.Nanoseconds) : null,
            changes.ModificationTime is { } modified ? new UnixTime(modified.Seconds, modified.Nanoseconds) : null);
        return Answer(_fileSystem.SetAttributesAsync(nodeId, change, request.Interrupted), Attributes);
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult<ReadOnlyMemory<byte>>> ReadLinkAsync(FuseRequest request, ulong nodeId)
    {
        var target = _fileSystem.ReadLink(nodeId);
        return new(target.Error == Errno.None ? FuseResult<ReadOnlyMemory<byte>>.Success(Encoding.UTF8.GetBytes(target.Value)) : ErrnoMap.From(target.Error));
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseEntry>> CreateSymbolicLinkAsync(FuseRequest request, ulong parent, string name, ReadOnlyMemory<byte> target) =>
        System.Text.Unicode.Utf8.IsValid(target.Span)
            ? Answer(_fileSystem.MakeLinkAsync(parent, name, Encoding.UTF8.GetString(target.Span), Tag(request), request.Interrupted), Entry)
            : new(FuseErrno.EINVAL);

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseEntry>> MakeDirectoryAsync(FuseRequest request, ulong parent, string name, uint mode, uint umask) =>
        Answer(_fileSystem.MakeFolderAsync(parent, name, mode, Tag(request), request.Interrupted), Entry);

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseEntry>> MakeNodeAsync(FuseRequest request, ulong parent, string name, uint mode, uint deviceNumber) =>
        (mode & FileStatus.TypeMask) is 0 or FileStatus.TypeFile
            ? Answer(_fileSystem.MakeFileAsync(parent, name, mode, Tag(request), request.Interrupted), Entry)
            : new(FuseErrno.EPERM);

    /// <inheritdoc/>
    public override ValueTask<FuseResult> UnlinkAsync(FuseRequest request, ulong parent, string name) =>
        Answer(_fileSystem.UnlinkAsync(parent, name, Tag(request), request.Interrupted));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> RemoveDirectoryAsync(FuseRequest request, ulong parent, string name) =>
        Answer(_fileSystem.RemoveFolderAsync(parent, name, Tag(request), request.Interrupted));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> RenameAsync(FuseRequest request, ulong parent, string name, ulong newParent, string newName, FuseRenameFlags flags) => flags switch
    {
        FuseRenameFlags.None => Answer(_fileSystem.RenameAsync(parent, name, newParent, newName, RenameKind.Replace, Tag(request), request.Interrupted)),
        FuseRenameFlags.NoReplace => Answer(_fileSystem.RenameAsync(parent, name, newParent, newName, RenameKind.NoReplace, Tag(request), request.Interrupted)),
        FuseRenameFlags.Exchange => Answer(_fileSystem.RenameAsync(parent, name, newParent, newName, RenameKind.Exchange, Tag(request), request.Interrupted)),
        _ => new(FuseErrno.EINVAL),
    };

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseEntry>> LinkAsync(FuseRequest request, ulong nodeId, ulong newParent, string newName) => new(FuseErrno.EPERM);

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
        Answer(_fileSystem.OpenAsync(nodeId, flags.IsWrite, flags.IsTruncate, Tag(request), request.Interrupted), opened => Opened(nodeId, opened));

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseCreated>> CreateAsync(FuseRequest request, ulong parent, string name, FuseFileFlags flags, uint mode, uint umask) =>
        Answer(
            _fileSystem.CreateAsync(parent, name, mode, flags.IsExclusive, flags.IsTruncate, Tag(request), request.Interrupted),
            created => new FuseCreated(Entry(created.Entry), Opened(created.Entry.Id, created.Opened)));

    /// <inheritdoc/>
    public override ValueTask<FuseResult<int>> ReadAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags) =>
        Answer(_fileSystem.ReadAsync(fileHandle, offset, buffer, request.Interrupted), count => count);

    /// <inheritdoc/>
    public override ValueTask<FuseResult<int>> WriteAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, long offset, ReadOnlyMemory<byte> data, FuseFileFlags flags, FuseWriteFlags writeFlags) =>
        new(Plain(_fileSystem.Write(fileHandle, offset, data.Span)));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> FlushAsync(FuseRequest request, ulong nodeId, ulong fileHandle, ulong lockOwner) =>
        Answer(_fileSystem.FlushAsync(fileHandle, request.Pid, request.Interrupted));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> ReleaseAsync(
        FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags, FuseReleaseFlags releaseFlags, ulong lockOwner)
    {
        _passthrough.Release(nodeId);
        _fileSystem.Release(fileHandle);
        return new(FuseResult.Success);
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult> FsyncAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly) =>
        OffThread(() => _fileSystem.Sync(fileHandle, dataOnly));

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseOpened>> OpenDirectoryAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
        Answer(
            _fileSystem.OpenFolderAsync(nodeId, Tag(request), request.Interrupted),
            handle => new FuseOpened(handle, _fileSystem.CanKeepNames(nodeId) ? FuseOpenFlags.CacheDirectory | FuseOpenFlags.KeepCache : FuseOpenFlags.None));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> ReadDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryBuffer buffer) =>
        AnswerAsync(
            _fileSystem.NamesOfAsync(nodeId, fileHandle, restart: offset == 0, forLookUp: false, request.Interrupted),
            names =>
            {
                Fill(nodeId, names, offset, buffer);
                return new(FuseResult.Success);
            });

    /// <inheritdoc/>
    public override ValueTask<FuseResult> ReadDirectoryPlusAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseDirectoryPlusBuffer buffer) =>
        AnswerAsync(
            _fileSystem.NamesOfAsync(nodeId, fileHandle, restart: offset == 0, forLookUp: true, request.Interrupted),
            names => FillPlusAsync(nodeId, names, offset, buffer, request.Interrupted));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> ReleaseDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, FuseFileFlags flags)
    {
        _fileSystem.Release(fileHandle);
        return new(FuseResult.Success);
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult> FsyncDirectoryAsync(FuseRequest request, ulong nodeId, ulong fileHandle, bool dataOnly) =>
        OffThread(() => _fileSystem.SyncFolder(nodeId));

    /// <inheritdoc/>
    public override ValueTask<FuseResult<FuseFileSystemStatistics>> StatFsAsync(FuseRequest request, ulong nodeId)
    {
        var status = _fileSystem.StatFileSystem();
        return new(status.Error != Errno.None
            ? ErrnoMap.From(status.Error)
            : FuseResult<FuseFileSystemStatistics>.Success(new FuseFileSystemStatistics
            {
                Blocks = status.Value.Blocks,
                BlocksFree = status.Value.BlocksFree,
                BlocksAvailable = status.Value.BlocksAvailable,
                Files = status.Value.Files,
                FilesFree = status.Value.FilesFree,
                BlockSize = (uint)status.Value.BlockSize,
                FragmentSize = (uint)status.Value.BlockSize,
                NameLengthMax = ModelName.PartBytesMax,
            }));
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult<ReadOnlyMemory<byte>>> GetXattrAsync(FuseRequest request, ulong nodeId, string name)
    {
        if (ModelFileSystem.IsQuestion(name))
        {
            return AskAsync(request, nodeId, name);
        }

        var value = _fileSystem.GetXattr(nodeId, name);
        return new(value.Error == Errno.None ? FuseResult<ReadOnlyMemory<byte>>.Success(value.Value) : ErrnoMap.From(value.Error));
    }

    /// <inheritdoc/>
    public override ValueTask<FuseResult<string[]>> ListXattrAsync(FuseRequest request, ulong nodeId) =>
        new(FuseResult<string[]>.Success([.. _fileSystem.ListXattrs(nodeId)]));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> SetXattrAsync(FuseRequest request, ulong nodeId, string name, ReadOnlyMemory<byte> value, FuseXattrFlags flags) =>
        Answer(_fileSystem.SetXattrAsync(nodeId, name, Encoding.UTF8.GetString(value.Span), request.Interrupted));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> RemoveXattrAsync(FuseRequest request, ulong nodeId, string name) => new(FuseErrno.ENODATA);

    /// <inheritdoc/>
    public override ValueTask<FuseResult<long>> SeekAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, FuseSeekWhence whence) =>
        new(Plain(_fileSystem.Seek(fileHandle, offset, (int)whence)));

    /// <inheritdoc/>
    public override ValueTask<FuseResult> AllocateAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, long length, uint mode) =>
        new(ErrnoMap.From(_fileSystem.Allocate(fileHandle, (int)mode, offset, length)));

    /// <summary>Reading needs fewer rights than setting, so only whom everything belongs to, and root, may ask in this way.</summary>
    private async ValueTask<FuseResult<ReadOnlyMemory<byte>>> AskAsync(FuseRequest request, ulong nodeId, string name)
    {
        if (request.Uid != 0 && request.Uid != _owner.Uid)
        {
            return FuseErrno.EPERM;
        }

        var answer = await Answer(_fileSystem.AskAsync(nodeId, name, request.Interrupted)).ConfigureAwait(false);
        return answer.IsSuccess ? FuseResult<ReadOnlyMemory<byte>>.Success("done"u8.ToArray()) : answer.Errno;
    }

    private void Fill(ulong nodeId, IReadOnlyList<FsName> names, long offset, FuseDirectoryBuffer buffer)
    {
        var numbers = _fileSystem.NumbersOf(nodeId);
        for (var position = (int)offset; position < names.Count + DotEntries; position++)
        {
            var added = position switch
            {
                0 => buffer.TryAdd(".", numbers.Self, FileStatus.TypeFolder, 1),
                1 => buffer.TryAdd("..", numbers.Parent, FileStatus.TypeFolder, DotEntries),
                _ => names[position - DotEntries] is var name && buffer.TryAdd(name.Name, name.Number, name.Type, position + 1),
            };
            if (!added)
            {
                break;
            }
        }
    }

    private async ValueTask<FuseResult> FillPlusAsync(
        ulong nodeId, IReadOnlyList<FsName> names, long offset, FuseDirectoryPlusBuffer buffer, CancellationToken cancellationToken)
    {
        var numbers = _fileSystem.NumbersOf(nodeId);
        var standing = await _fileSystem.StandingAsync(nodeId, names, Math.Max(0, (int)offset - DotEntries), cancellationToken).ConfigureAwait(false);
        for (var position = (int)offset; position < standing + DotEntries; position++)
        {
            if (position < DotEntries)
            {
                if (!buffer.TryAdd(position == 0 ? "." : "..", position == 0 ? numbers.Self : numbers.Parent, FileStatus.TypeFolder, position + 1))
                {
                    break;
                }

                continue;
            }

            var name = names[position - DotEntries];
            var found = await _fileSystem.LookupListedAsync(nodeId, name.Name).ConfigureAwait(false);
            if (found.Error != Errno.None)
            {
                continue;
            }

            if (!buffer.TryAdd(name.Name, Entry(found.Value), position + 1))
            {
                _fileSystem.Forget(found.Value.Id, 1);
                break;
            }
        }

        return FuseResult.Success;
    }

    private static FsRequest Tag(FuseRequest request) => new(request.Unique, request.IsResent);

    private static FuseTime Time(UnixTime time) => new(time.Seconds, time.Nanoseconds);

    private static FuseResult<T> Plain<T>(FsResult<T> result) => result.Error == Errno.None ? FuseResult<T>.Success(result.Value) : ErrnoMap.From(result.Error);

    private static async ValueTask<FuseResult> OffThread(Func<Errno> call) => ErrnoMap.From(await Task.Run(call).ConfigureAwait(false));

    private FuseResult<FuseAttributesReply> Reply(FsResult<FsEntry> result) =>
        result.Error == Errno.None ? Attributes(result.Value) : ErrnoMap.From(result.Error);

    private FuseAttributesReply Attributes(FsEntry entry) => new(Attributes(entry.Attributes), entry.AttributesValid);

    private FuseEntry Entry(FsEntry entry) => new()
    {
        NodeId = entry.Id,
        EntryValid = entry.EntryValid,
        AttributesValid = entry.AttributesValid,
        Attributes = Attributes(entry.Attributes),
    };

    private FuseAttributes Attributes(FsAttributes attributes) => new()
    {
        Inode = attributes.Number,
        Size = attributes.Size,
        Blocks = (ulong)attributes.Blocks,
        AccessTime = Time(attributes.AccessTime),
        ModificationTime = Time(attributes.ModifiedTime),
        ChangeTime = Time(attributes.ChangeTime),
        Mode = attributes.Mode,
        LinkCount = attributes.LinkCount,
        Uid = _owner.Uid,
        Gid = _owner.Gid,
        BlockSize = 4096,
    };

    private FuseOpened Opened(ulong nodeId, FsOpened opened)
    {
        if (opened.LocalPath is not { } path || opened.IsDirect)
        {
            return new FuseOpened(opened.Handle, FuseOpenFlags.DirectIo | (opened.WantsFlush ? FuseOpenFlags.None : FuseOpenFlags.NoFlush));
        }

        var backingId = _passthrough.Open(nodeId, path, opened.IsInherited, opened.CanCache);
        var flush = opened.WantsFlush ? FuseOpenFlags.None : FuseOpenFlags.NoFlush;
        if (backingId != 0)
        {
            return new FuseOpened(opened.Handle, FuseOpenFlags.Passthrough | flush, backingId);
        }

        if (_passthrough.WhyOff is null)
        {
            _fileSystem.NoteCached(opened.Handle);
        }

        // What the kernel has of a file that passed through meanwhile may be old, where it can't be registered this time.
        var isKept = opened.CanCache || _passthrough.WhyOff is not null;
        return new FuseOpened(opened.Handle, (isKept ? FuseOpenFlags.KeepCache : FuseOpenFlags.None) | flush);
    }

    private ValueTask<FuseResult> Answer(ValueTask<Errno> task) =>
        task.IsCompletedSuccessfully ? new(ErrnoMap.From(task.Result)) : AwaitAsync(task);

    private async ValueTask<FuseResult> AwaitAsync(ValueTask<Errno> task)
    {
        try
        {
            return ErrnoMap.From(await task.ConfigureAwait(false));
        }
        catch (ModelException error)
        {
            return Failure(error);
        }
    }

    private ValueTask<FuseResult<TTo>> Answer<TFrom, TTo>(ValueTask<FsResult<TFrom>> task, Func<TFrom, TTo> convert) =>
        task.IsCompletedSuccessfully ? new(Convert(task.Result, convert)) : AwaitAsync(task, convert);

    private async ValueTask<FuseResult<TTo>> AwaitAsync<TFrom, TTo>(ValueTask<FsResult<TFrom>> task, Func<TFrom, TTo> convert)
    {
        try
        {
            return Convert(await task.ConfigureAwait(false), convert);
        }
        catch (ModelException error)
        {
            return Failure(error);
        }
    }

    private async ValueTask<FuseResult> AnswerAsync<T>(ValueTask<FsResult<T>> task, Func<T, ValueTask<FuseResult>> then)
    {
        try
        {
            var result = await task.ConfigureAwait(false);
            return result.Error == Errno.None ? await then(result.Value).ConfigureAwait(false) : ErrnoMap.From(result.Error);
        }
        catch (ModelException error)
        {
            return Failure(error);
        }
    }

    private static FuseResult<TTo> Convert<TFrom, TTo>(FsResult<TFrom> result, Func<TFrom, TTo> convert) =>
        result.Error == Errno.None ? FuseResult<TTo>.Success(convert(result.Value)) : ErrnoMap.From(result.Error);

    private FuseErrno Failure(ModelException error)
    {
        LogRefused(_logger, error.Message);
        return ErrnoMap.From(error.Kind);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
