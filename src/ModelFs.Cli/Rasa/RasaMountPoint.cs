using ModelFs.Cli.Mounting;
using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Rasa;

/// <summary>Where a Rasa NLU server looks for its models: there the store is to be mounted.</summary>
internal static class RasaMountPoint
{
    /// <summary>A model stands in the mount, or one folder deeper in a project.</summary>
    private const int DepthMax = 2;

    /// <summary>
    /// The folder <c>path</c>, if the server finds its models by itself or loads some that stand below it; otherwise the folder in which the models
    /// stand that it is told to load. Relative paths start at the working directory, as they do for the server.
    /// </summary>
    /// <returns>Null when the settings name no place.</returns>
    /// <exception cref="CommandException">The models stand in different folders, or in the one that the command runs in.</exception>
    public static string? Find(RasaSettings settings, Caller caller)
    {
        var path = settings.Text(RasaSettingTable.ModelsPath) is { } text ? caller.Absolute(text) : null;
        var models = settings.Texts(RasaSettingTable.ModelFolders).Select(caller.Absolute).ToList();
        var place = models.Count == 0 || (path is not null && models.All(model => Depth(model, path) is > 0 and <= DepthMax)) ? path : Parent(models);
        return place is not null && MountSearch.IsWithin(caller.WorkingDirectory, place)
            ? throw CommandException.Usage($"by the server's settings its models stand in {place}, which a mount would cover together with the current folder; name a MOUNTPOINT, and set path to it")
            : place;
    }

    private static string Parent(IReadOnlyList<string> models)
    {
        var parents = models.Select(model => Path.GetDirectoryName(model) ?? "/").Distinct(StringComparer.Ordinal).ToList();
        return parents.Count == 1
            ? parents[0]
            : throw CommandException.Usage($"server_model_dirs names models in different folders ({string.Join(", ", parents)}), and a mount has one place; name a MOUNTPOINT");
    }

    /// <summary>How many folders deeper <paramref name="path"/> is than <paramref name="folder"/>; -1 when it is not below it.</summary>
    private static int Depth(string path, string folder) => MountSearch.IsWithin(path, folder) && path != folder
        ? path[folder.TrimEnd('/').Length..].Count(c => c == '/')
        : -1;
}
