using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>Takes an archive's members, whatever container they come from, and makes the model's tree of them.</summary>
internal sealed class ModelTreeBuilder(ModelName model, string targetFolder, UnpackLimits limits, long archiveLength) : IMemberSink
{
    private readonly TreeWriter _writer = new(targetFolder, new TreeBudget(limits, archiveLength));
    private readonly LayoutDetector _layout = new(model.Name);
    private readonly List<string> _warnings = [];

    /// <summary>Adds one member; <paramref name="content"/> is read to its end for files.</summary>
    /// <exception cref="ArchiveException">The member is unsafe, or exceeds a limit.</exception>
    public void Add(TarMember member, ContentSource content)
    {
        var isFolder = member.Type == MemberType.Directory;
        var path = MemberName.Parse(member.Name, isFolder).Path;
        _layout.Observe(member.Name, path, isFolder);
        switch (member.Type)
        {
            case MemberType.Directory:
                _writer.AddFolder(path, member);
                break;
            case MemberType.File:
                _writer.AddFile(path, member, content);
                break;
            case MemberType.SymbolicLink:
                _writer.AddSymbolicLink(path, member);
                break;
            case MemberType.HardLink:
                _writer.AddHardLink(path, MemberName.Parse(member.LinkName, isFolder: false).Path, member);
                break;
        }
    }

    /// <summary>Notes what deserves to be told without being an error.</summary>
    public void Warn(string warning) => _warnings.Add(warning);

    /// <summary>Completes the tree.</summary>
    public UnpackedModel Finish()
    {
        var layout = _layout.Layout();
        var entries = _writer.Finish(layout == ArchiveLayout.Named ? model.Name : null);
        _warnings.AddRange(NameCollisions.Describe(entries));
        return new UnpackedModel(layout, entries, entries.Sum(entry => entry.Size), ModelTree.Digest(entries), _warnings);
    }
}
