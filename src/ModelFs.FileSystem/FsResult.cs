using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>The answer of an operation: a value, or an error number.</summary>
/// <typeparam name="T">What the operation answers when it succeeds.</typeparam>
/// <param name="Error">The error, or <see cref="Errno.None"/>.</param>
/// <param name="Value">Meaningful only without an error.</param>
public readonly record struct FsResult<T>(Errno Error, T Value)
{
    /// <summary>An answer with a value.</summary>
    /// <param name="value">The value.</param>
#pragma warning disable CA2225 // The record's constructor is the named alternate.
    public static implicit operator FsResult<T>(T value) => new(Errno.None, value);

    /// <summary>An answer with an error.</summary>
    /// <param name="error">The error.</param>
    public static implicit operator FsResult<T>(Errno error) => new(error, default!);
#pragma warning restore CA2225
}

/// <summary>What stat shows of an inode.</summary>
/// <param name="Number">st_ino.</param>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="LinkCount">Names; files always have one.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Blocks">Of 512 bytes.</param>
/// <param name="AccessTime">Last access.</param>
/// <param name="ModifiedTime">Last change of content.</param>
/// <param name="ChangeTime">Last change of content or attributes.</param>
public readonly record struct FsAttributes(
    ulong Number, uint Mode, uint LinkCount, long Size, long Blocks, UnixTime AccessTime, UnixTime ModifiedTime, UnixTime ChangeTime);

/// <summary>An inode that was handed out, with its attributes and how long both may be kept.</summary>
/// <param name="Id">For later requests.</param>
/// <param name="Attributes">Its attributes.</param>
/// <param name="EntryValid">How long the name may be used without asking again.</param>
/// <param name="AttributesValid">How long the attributes may be.</param>
public readonly record struct FsEntry(ulong Id, FsAttributes Attributes, TimeSpan EntryValid, TimeSpan AttributesValid);

/// <summary>An opened file.</summary>
/// <param name="Handle">For later requests on it.</param>
/// <param name="LocalPath">The complete file of the cache behind it; null for a control file, whose content is a snapshot.</param>
/// <param name="IsInherited">Whether a daemon that died had opened it already and the kernel only repeats its request.</param>
/// <param name="CanCache">
/// Whether the kernel may keep the file's pages: it is small, opened for reading, and had no writer since the kernel knows it; or it was made at this moment, in a folder where
/// the files made before it were small, and can be opened for writing again by a daemon that takes over.
/// </param>
/// <param name="IsDirect">Whether the file is not complete yet, or the kernel still reads it in this way: every read must come here.</param>
/// <param name="WantsFlush">Whether each close of it is to be told.</param>
public readonly record struct FsOpened(
    ulong Handle, string? LocalPath, bool IsInherited = false, bool CanCache = false, bool WantsFlush = false, bool IsDirect = false);

/// <summary>An open file that a daemon that died left to this one.</summary>
/// <param name="Id">Its inode.</param>
/// <param name="IsCached">Whether it was opened through the kernel's page cache (<see cref="ModelFileSystem.NoteCached"/>).</param>
public readonly record struct FsInherited(ulong Id, bool IsCached);

/// <summary>A created file: its entry and the open handle.</summary>
/// <param name="Entry">The entry; handed out once.</param>
/// <param name="Opened">The handle.</param>
public readonly record struct FsCreated(FsEntry Entry, FsOpened Opened);

/// <summary>What is to change of an inode's attributes; null leaves one as it is.</summary>
/// <param name="Handle">The open file through which it is asked, if any.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Size">In bytes.</param>
/// <param name="AccessTime">Last access.</param>
/// <param name="ModifiedTime">Last change of content.</param>
public readonly record struct FsChange(ulong? Handle, uint? Mode, long? Size, UnixTime? AccessTime, UnixTime? ModifiedTime);

/// <summary>Which request of the kernel an operation belongs to; a request that is sent again to another daemon keeps its number.</summary>
/// <param name="Unique">The request's number.</param>
/// <param name="IsResent">Whether a daemon that died may have carried it out already.</param>
public readonly record struct FsRequest(ulong Unique, bool IsResent);

/// <summary>One name of a listed folder.</summary>
/// <param name="Name">The name.</param>
/// <param name="Number">st_ino.</param>
/// <param name="Type">The type bits of st_mode.</param>
public readonly record struct FsName(string Name, ulong Number, uint Type)
{
    /// <summary>The names in the order of a listing, which stays the same however often it is made.</summary>
    internal static IReadOnlyList<FsName> Sorted(IEnumerable<FsName> names)
    {
        var list = names.ToList();
        list.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        return list;
    }
}
