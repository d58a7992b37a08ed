namespace ModelFs.Models;

/// <summary>What a model's tree can hold.</summary>
public enum TreeEntryType
{
    /// <summary>A folder.</summary>
    Directory,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A symbolic link that stays inside of its model.</summary>
    SymbolicLink,
}

/// <summary>One file, folder or link of a model's tree.</summary>
/// <param name="Path">Relative to the model folder, parts separated by one slash, no leading or trailing slash; the empty string is the model folder itself.</param>
/// <param name="Type">What it is.</param>
/// <param name="Mode">Permission bits 0000 to 0777.</param>
/// <param name="ModifiedTime">Last modification, to the precision of its source.</param>
/// <param name="Size">Bytes of a file's content; 0 for folders and links.</param>
/// <param name="LinkTarget">A link's target as written; null for files and folders.</param>
/// <param name="Digest">Digest of a file's content; null for folders and links, and where it was not computed.</param>
public sealed record TreeEntry(
    string Path,
    TreeEntryType Type,
    int Mode,
    UnixTime ModifiedTime,
    long Size = 0,
    string? LinkTarget = null,
    ContentDigest? Digest = null);
