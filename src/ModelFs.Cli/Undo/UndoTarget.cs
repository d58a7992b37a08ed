using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounts;
using ModelFs.Models;

namespace ModelFs.Cli.Undo;

/// <summary>Where <c>modelfs history</c> and <c>restore</c> look: a mount, whose daemon is asked, or a store.</summary>
/// <param name="MountPoint">Of the mount; null for a store.</param>
/// <param name="Store">The store; null for a mount.</param>
/// <param name="Model">The model.</param>
internal sealed record UndoTarget(string? MountPoint, StoreAddress? Store, ModelName Model)
{
    /// <summary>The file that stands for the model's past in the mount.</summary>
    public string FileInMount => Path.Combine(MountPoint!, ".modelfs", "history", Model.Stem + ".json");

    /// <summary>Finds what the arguments mean: a mount point or a store, and a model; or a model in the only mount; or a path in a mount.</summary>
    /// <param name="services">Of the program.</param>
    /// <param name="arguments">One or two; a revision is cut off already.</param>
    /// <param name="named">The store that options name, or null.</param>
    /// <exception cref="CommandException">It is not clear which mount or store is meant.</exception>
    public static UndoTarget Find(CommandServices services, IReadOnlyList<string> arguments, Func<StoreAddress>? named)
    {
        if (named is not null)
        {
            return arguments.Count == 1 ? new UndoTarget(null, named(), NameOf(arguments[0])) : throw CommandException.Usage("a store is named by an option and by an argument; leave one out");
        }

        var mounts = MountSearch.ModelFsMounts(services.Mounts);
        if (arguments.Count == 2)
        {
            var place = services.Mounts.RealPath(services.Caller.Absolute(arguments[0]));
            return mounts.FirstOrDefault(mount => mount.MountPoint == place) is { } at
                ? new UndoTarget(at.MountPoint, null, NameOf(arguments[1]))
                : new UndoTarget(null, StoreFinder.Find(services, new StoreSources(arguments[0], null, null, null)), NameOf(arguments[1]));
        }

        var path = services.Mounts.RealPath(services.Caller.Absolute(arguments[0]));
        if (MountSearch.Around(mounts, path) is { } around && path != around.MountPoint)
        {
            return new UndoTarget(around.MountPoint, null, NameOf(Path.GetRelativePath(around.MountPoint, path)));
        }

        return mounts switch
        {
            [var only] => new UndoTarget(only.MountPoint, null, NameOf(arguments[0])),
            [] => throw CommandException.Usage("nothing is mounted here; name the store: modelfs history STORE MODEL"),
            _ => throw CommandException.Usage($"which mount is '{arguments[0]}' in? {MountSearch.Describe(mounts)}; name the mount first"),
        };
    }

    private static ModelName NameOf(string text) => ModelName.TryParsePath(text.TrimEnd('/'), out var model)
        ? model
        : throw CommandException.Usage($"'{text}' can't be the name of a model; write NAME or PROJECT/NAME");
}
