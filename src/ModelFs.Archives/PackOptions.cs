using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives;

/// <summary>Of how many pieces a gzip-compressed archive is made.</summary>
public enum ArchiveStructure
{
    /// <summary>Many gzip members and an index of them at the end (FORMATS, "Indexed archives"): for everybody who reads gzip as it is defined.</summary>
    Indexed,

    /// <summary>One gzip member, for readers that stop behind the first one, such as Python's <c>r|gz</c>.</summary>
    SingleMember,
}

/// <summary>What is compressed, and how hard.</summary>
public enum PackCompression
{
    /// <summary>Samples decide for each member: what deflate hardly shrinks, such as weights, is stored, the rest deflated. A single member is deflated.</summary>
    Auto,

    /// <summary>Nothing is compressed.</summary>
    Store,

    /// <summary>Everything is deflated, fast.</summary>
    Fast,

    /// <summary>Everything is deflated, as small as it gets.</summary>
    Small,
}

/// <summary>How a tree is packed. The same tree with the same options gives the same bytes, from one version of ModelFs and its native library.</summary>
/// <param name="Format"><see cref="ArchiveFormat.TarGz"/>, <see cref="ArchiveFormat.Tgz"/> or <see cref="ArchiveFormat.Tar"/>.</param>
/// <param name="Layout">How members are named; an existing model keeps what it had.</param>
/// <param name="Model">The model; its name is the top folder of <see cref="ArchiveLayout.Named"/>.</param>
/// <param name="Compression">What is compressed; a <see cref="ArchiveFormat.Tar"/> never is.</param>
/// <param name="Structure">Of how many gzip members the archive is made.</param>
public sealed record PackOptions(
    ArchiveFormat Format,
    ArchiveLayout Layout,
    ModelName Model,
    PackCompression Compression = PackCompression.Auto,
    ArchiveStructure Structure = ArchiveStructure.Indexed)
{
    /// <summary>Paths of files in the order in which they should stand in the archive; all others follow them, sorted. Unknown paths are passed over.</summary>
    public IReadOnlyList<string> Order { get; init; } = [];

    /// <summary>
    /// The index of an archive that the tree descends from. Its members of unchanged files become segments of the new archive as they are, so only the rest is read,
    /// compressed and written. Only an indexed archive of the same layout can be built on.
    /// </summary>
    public ArchiveIndex? Base { get; init; }

    /// <summary>
    /// Opens a number of bytes (second) of the base from an offset in it (first). With it the output takes the whole archive: what was compressed in the base, and is still the
    /// same, is read from there and verified, what was stored is made again of the files. Null leaves segments of the base for others to put in their places.
    /// </summary>
    public Func<long, long, CancellationToken, Task<Stream>>? ReadBase { get; init; }

    /// <summary>
    /// Whether members that store a piece of a file as it is are left out of the output, to be made when they are read (<see cref="StoredPiece"/>): weights are neither written
    /// nor kept twice.
    /// </summary>
    public bool LeavesPieces { get; init; }

    internal bool IsIndexed => Structure == ArchiveStructure.Indexed && Format != ArchiveFormat.Tar;

    internal int Level => Compression == PackCompression.Small ? 3 : 1;
}
