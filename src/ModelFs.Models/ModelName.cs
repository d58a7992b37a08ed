using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ModelFs.Models;

/// <summary>
/// The name of a model as the mount shows it: <c>NAME</c> at the root, or <c>PROJECT/NAME</c> one folder down.
/// A value of this type is always valid: each part is 1 to 255 bytes of UTF-8, holds no slash, NUL or <c>___</c>,
/// and does not start with a dot; a project does not end with an underline.
/// </summary>
public sealed record ModelName
{
    /// <summary>What separates project and model in a store's key.</summary>
    public const string ProjectSeparator = "___";

    /// <summary>The longest name of one folder, in bytes of UTF-8 (NAME_MAX).</summary>
    public const int PartBytesMax = 255;

    private ModelName(string? project, string name)
    {
        Project = project;
        Name = name;
    }

    /// <summary>The project folder, or null for a model at the root.</summary>
    public string? Project { get; }

    /// <summary>The model folder's own name.</summary>
    public string Name { get; }

    /// <summary>The key's part before its ending: <c>NAME</c> or <c>PROJECT___NAME</c>.</summary>
    public string Stem => Project is null ? Name : Project + ProjectSeparator + Name;

    /// <summary>Parses what the mount shows, <c>NAME</c> or <c>PROJECT/NAME</c>.</summary>
    public static bool TryParsePath(string path, [NotNullWhen(true)] out ModelName? model)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? TryCreate(null, path, out model) : TryCreate(path[..slash], path[(slash + 1)..], out model);
    }

    /// <summary>Parses the part of a key before its ending, <c>NAME</c> or <c>PROJECT___NAME</c>.</summary>
    public static bool TryParseStem(string stem, [NotNullWhen(true)] out ModelName? model)
    {
        var separator = stem.IndexOf(ProjectSeparator, StringComparison.Ordinal);
        return separator < 0
            ? TryCreate(null, stem, out model)
            : TryCreate(stem[..separator], stem[(separator + ProjectSeparator.Length)..], out model);
    }

    /// <summary>Makes a name from its parts.</summary>
    /// <returns>False when a part is not a valid folder name (<see cref="IsValidPart"/>, <see cref="IsValidProject"/>).</returns>
    public static bool TryCreate(string? project, string name, [NotNullWhen(true)] out ModelName? model)
    {
        model = (project is null || IsValidProject(project)) && IsValidPart(name) ? new ModelName(project, name) : null;
        return model is not null;
    }

    /// <summary>Whether <paramref name="part"/> can be the name of a project or model folder.</summary>
    public static bool IsValidPart(string part) =>
        part.Length > 0
        && part[0] != '.'
        && !part.AsSpan().ContainsAny('/', '\0')
        && !part.Contains(ProjectSeparator, StringComparison.Ordinal)
        && Encoding.UTF8.GetByteCount(part) <= PartBytesMax;

    /// <summary>Whether <paramref name="part"/> can be the name of a project folder. Its key would be read as another name if it ended with an underline.</summary>
    public static bool IsValidProject(string part) => IsValidPart(part) && part[^1] != '_';

    /// <summary>The path below the mount's root, without a leading slash.</summary>
    public override string ToString() => Project is null ? Name : Project + "/" + Name;
}
