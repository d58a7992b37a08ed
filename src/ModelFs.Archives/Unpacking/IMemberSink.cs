using ModelFs.Archives.Tar;

namespace ModelFs.Archives.Unpacking;

/// <summary>Takes an archive's members, in their order, whatever container they come from.</summary>
internal interface IMemberSink
{
    /// <summary>Takes one member; <paramref name="content"/> is read to its end for files.</summary>
    /// <exception cref="ArchiveException">The member is unsafe, or exceeds a limit.</exception>
    void Add(TarMember member, ContentSource content);

    /// <summary>Notes what deserves to be told without being an error.</summary>
    void Warn(string warning);
}
