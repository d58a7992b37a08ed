using ModelFs.Models;

namespace ModelFs.Archives.Unpacking;

/// <summary>
/// Tells from the members' names which generation's layout an archive has. In a mixture the most telling sign decides:
/// every member at or below a folder of the model's own name and none for the root itself is <see cref="ArchiveLayout.Named"/>; else a root with an empty
/// name is <see cref="ArchiveLayout.EmptyRoot"/>; else any name that starts with <c>./</c> is <see cref="ArchiveLayout.Dot"/>; else <see cref="ArchiveLayout.Bare"/>.
/// A single top folder of another name (an object that was renamed) is content of the model.
/// </summary>
internal sealed class LayoutDetector(string modelName)
{
    private readonly string _below = modelName + "/";
    private bool _anyRoot;
    private bool _anyEmptyRoot;
    private bool _anyDot;
    private bool _anyInside;
    private bool _anyOutside;

    /// <summary>Takes note of one member.</summary>
    public void Observe(string rawName, string path, bool isFolder)
    {
        _anyDot |= rawName == "." || rawName.StartsWith("./", StringComparison.Ordinal);
        if (path.Length == 0)
        {
            _anyRoot = true;
            _anyEmptyRoot |= rawName is "" or "/";
        }
        else if ((path == modelName && isFolder) || path.StartsWith(_below, StringComparison.Ordinal))
        {
            _anyInside = true;
        }
        else
        {
            _anyOutside = true;
        }
    }

    /// <summary>The layout of the members that were observed.</summary>
    public ArchiveLayout Layout()
    {
        if (_anyInside && !_anyOutside && !_anyRoot)
        {
            return ArchiveLayout.Named;
        }

        if (_anyEmptyRoot)
        {
            return ArchiveLayout.EmptyRoot;
        }

        return _anyDot ? ArchiveLayout.Dot : ArchiveLayout.Bare;
    }
}
