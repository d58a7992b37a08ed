using ModelFs.Models;

namespace ModelFs.Archives.Tar;

/// <summary>What a member of an archive is.</summary>
internal enum MemberType
{
    Directory,
    File,
    SymbolicLink,

    /// <summary>Another name of a file that came before.</summary>
    HardLink,
}

/// <summary>One member of an archive, as its headers describe it.</summary>
/// <param name="Name">As written, trailing slash included.</param>
/// <param name="Type">What it is.</param>
/// <param name="Mode">Permission bits without setuid, setgid and sticky.</param>
/// <param name="ModifiedTime">To the archive's precision.</param>
/// <param name="Size">Bytes of content that follow; 0 for all but files.</param>
/// <param name="LinkName">Target of a link; empty otherwise.</param>
/// <param name="Offset">Where its first header starts, in bytes of the uncompressed archive.</param>
internal sealed record TarMember(string Name, MemberType Type, int Mode, UnixTime ModifiedTime, long Size, string LinkName, long Offset)
{
    /// <summary>Whether the name says folder, whatever the type says: V7 tars have no other sign.</summary>
    public static bool NamesFolder(string name) => name.EndsWith('/');
}
