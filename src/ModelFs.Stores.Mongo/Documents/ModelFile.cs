using ModelFs.Models;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>One file of a model, or a folder.</summary>
/// <param name="Path">Relative to the model folder; a folder's ends with a slash, and the model folder itself is <c>/</c>.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Modified">Last modification.</param>
/// <param name="Content">A file's bytes; empty for folders.</param>
internal sealed record ModelFile(string Path, int Mode, UnixTime Modified, ReadOnlyMemory<byte> Content)
{
    /// <summary>What a file has of which nobody knows more.</summary>
    internal const int DefaultFileMode = 0x1a4; // 0644

    /// <summary>What a folder has of which nobody knows more.</summary>
    internal const int DefaultFolderMode = 0x1ed; // 0755

    /// <summary>Whether it is a folder.</summary>
    internal bool IsFolder => Path[^1] == '/';
}
