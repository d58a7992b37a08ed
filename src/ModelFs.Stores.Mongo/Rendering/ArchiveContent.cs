using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Documents;

namespace ModelFs.Stores.Mongo.Rendering;

/// <summary>What a published archive holds, if a document can hold all of it.</summary>
internal static class ArchiveContent
{
    /// <summary>Unpacked bytes that are looked at; JSON shrinks when it is parsed, but not without end.</summary>
    private const long BytesMax = 64L << 20;

    /// <summary>The most that one kept file may have, in bytes: it must fit into a bookkeeping document.</summary>
    private const int FileBytesMax = 15 << 20;

    /// <summary>Reads files and folders, each path relative to the model folder.</summary>
    /// <param name="archive">A gzip-compressed tar in any of the layouts.</param>
    /// <param name="modelName">The model's own name, for the layout that has a folder of that name around everything.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="DocumentException">A document can't hold it; the reason goes on after "the model".</exception>
    internal static async Task<List<ModelFile>> ReadAsync(Stream archive, string modelName, CancellationToken cancellationToken)
    {
        var members = new List<(string Name, ModelFile File)>();
        try
        {
            using var marked = new EndMarkedStream(archive);
            var inflated = new GZipStream(marked, CompressionMode.Decompress, leaveOpen: true);
            await using (inflated.ConfigureAwait(false))
            {
                var reader = new TarReader(inflated, leaveOpen: true);
                await using (reader.ConfigureAwait(false))
                {
                    long bytes = 0;
                    while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
                    {
                        if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
                        {
                            continue;
                        }

                        bytes += entry.Length;
                        if (bytes > BytesMax || entry.Length > FileBytesMax)
                        {
                            throw new DocumentException("is more than fits into a document");
                        }

                        members.Add((entry.Name, await ReadEntryAsync(entry, cancellationToken).ConfigureAwait(false)));
                    }
                }

                // Behind the last member: only when everything was inflated is it known to be undamaged.
                await marked.DrainAsync(inflated, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or FormatException or NotSupportedException or ArgumentException)
        {
            throw new DocumentException($"is no gzip-compressed tar that can be read ({exception.Message})");
        }

        return Check(WithoutTopFolder(members, modelName));
    }

    private static async Task<ModelFile> ReadEntryAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        var isFolder = entry.EntryType == TarEntryType.Directory;
        if (!isFolder && entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
        {
            throw new DocumentException($"has '{entry.Name}', which is neither a file nor a folder");
        }

        var content = new byte[isFolder ? 0 : entry.Length];
        if (entry.DataStream is { } data && !isFolder)
        {
            await data.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
        }

        return new ModelFile(PathOf(entry.Name, isFolder), (int)entry.Mode & 0x1ff, TimeOf(entry), content);
    }

    private static string PathOf(string name, bool isFolder)
    {
        var path = name;
        while (path.StartsWith("./", StringComparison.Ordinal))
        {
            path = path[2..];
        }

        if (isFolder)
        {
            path = path.TrimEnd('/');
            if (path is "" or ".")
            {
                return "/";
            }
        }

        return FilePath.IsPlain(path) ? path + (isFolder ? "/" : "") : throw new DocumentException($"has a member '{name}', which can't be the name of a field");
    }

    /// <summary>The archive's own text of the time, because .NET's has steps of 100 ns.</summary>
    private static UnixTime TimeOf(TarEntry entry)
    {
        if (entry is PaxTarEntry pax
            && pax.ExtendedAttributes.TryGetValue("mtime", out var text)
            && decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)
            && Math.Abs(time) < long.MaxValue)
        {
            var seconds = Math.Floor(time);
            return new UnixTime((long)seconds, (uint)((time - seconds) * 1_000_000_000m));
        }

        return UnixTime.From(entry.ModificationTime);
    }

    /// <summary>Takes off the folder of the model's name, if everything is in it.</summary>
    private static List<ModelFile> WithoutTopFolder(List<(string Name, ModelFile File)> members, string modelName)
    {
        var top = modelName + "/";
        var isNamed = members.Count > 0 && members.TrueForAll(member => member.File.Path.StartsWith(top, StringComparison.Ordinal));
        return [.. members.Select(member => !isNamed ? member.File : member.File with { Path = member.File.Path == top ? "/" : member.File.Path[top.Length..] })];
    }

    private static List<ModelFile> Check(List<ModelFile> files)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (!(file.IsFolder ? folders : paths).Add(file.Path))
            {
                throw new DocumentException($"has the member '{file.Path}' twice");
            }

            if (file.Path is ModelDocument.IdField or ModelDocument.NameField || file.Path[0] == '$')
            {
                throw new DocumentException($"has a file '{file.Path}', which can't be the name of a field");
            }
        }

        if (paths.Count == 0)
        {
            throw new DocumentException("holds no file");
        }

        if (FilePath.FindClash(paths) is { } clash)
        {
            throw new DocumentException($"has '{clash}' as a file and as a folder");
        }

        folders.ExceptWith(paths.SelectMany(FilePath.FoldersAbove).Append("/"));
        return folders.Count == 0 ? files : throw new DocumentException($"has the empty folder '{folders.First()}', which a document can't hold");
    }
}
