using ModelFs.Models;
using ModelFs.Stores.Mongo.Documents;

namespace ModelFs.Stores.Mongo.Rendering;

/// <summary>
/// Renders a model's files as the archive that a document stands for: an uncompressed tar in gzip's frame, members <c>./…</c> sorted by path.
/// The same files, modes and times always give the same bytes.
/// </summary>
internal static class ModelArchive
{
    /// <summary>Renders the archive.</summary>
    /// <param name="files">Files, and those folders of which more is known than that they are there.</param>
    /// <param name="modified">For the other folders.</param>
    internal static byte[] Render(IReadOnlyCollection<ModelFile> files, UnixTime modified)
    {
        var members = new SortedDictionary<string, ModelFile>(StringComparer.Ordinal);
        foreach (var folder in files.Where(file => !file.IsFolder).SelectMany(file => FilePath.FoldersAbove(file.Path)).Append("/"))
        {
            members[folder] = new ModelFile(folder, ModelFile.DefaultFolderMode, modified, default);
        }

        foreach (var file in files)
        {
            // A folder that lost its last file is no longer there.
            if (!file.IsFolder || members.ContainsKey(file.Path))
            {
                members[file.Path] = file;
            }
        }

        using var tar = new MemoryStream(files.Sum(file => file.Content.Length + 2048));
        var writer = new TarMemberWriter(tar);
        writer.Write(members["/"]);
        foreach (var (path, member) in members)
        {
            if (path != "/")
            {
                writer.Write(member);
            }
        }

        writer.Finish();
        return StoredGzip.Wrap(tar.GetBuffer().AsSpan(0, (int)tar.Length));
    }
}
