using ModelFs.Models;

namespace ModelFs.Archives.Indexed;

/// <summary>One file, folder or link of an indexed archive, and where it stands in it.</summary>
/// <param name="Entry">What it is; a file has its digest.</param>
/// <param name="TarOffset">Where its first header begins in the uncompressed tar.</param>
/// <param name="HeaderBytes">Length of its headers, a multiple of 512; its content follows at once.</param>
/// <param name="FirstMember">The member in which it begins. All headers, and the first byte of the content, are in that one.</param>
/// <param name="ContentOffset">Where the content begins in the first member's uncompressed bytes.</param>
/// <param name="MemberCount">How many members, from <paramref name="FirstMember"/> on, hold its headers and content; at least 1.</param>
public sealed record IndexedEntry(TreeEntry Entry, long TarOffset, int HeaderBytes, int FirstMember, int ContentOffset, int MemberCount)
{
    /// <summary>Where its content begins in the uncompressed tar.</summary>
    public long ContentTarOffset => TarOffset + HeaderBytes;

    /// <summary>Where its content ends in the uncompressed tar; zeros up to a block follow.</summary>
    public long ContentTarEnd => ContentTarOffset + Entry.Size;
}
