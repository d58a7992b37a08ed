using System.CommandLine;
using ModelFs.Cli.Listing;
using ModelFs.Stores;

namespace ModelFs.Cli.Undo;

/// <summary><c>modelfs restore</c>: makes a version of a model current that was replaced or deleted.</summary>
internal static class RestoreCommand
{
    private const string Attribute = "user.modelfs.restore";

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT|STORE] MODEL@REVISION")
        {
            Description = "As for `modelfs history`, which lists the revisions; the beginning of one is enough if no other begins so.",
            Arity = new ArgumentArity(1, 2),
        };
        var command = new Command("restore", "Make an earlier version of a model the current one; what it replaces is kept as any version is.") { places };
        var stores = new StoreArguments(services, command);
        command.SetAction((result, cancellationToken) =>
        {
            var arguments = result.GetRequiredValue(places);
            var (model, revision) = Split(arguments[^1]);
            var target = UndoTarget.Find(services, [.. arguments[..^1], model], stores.NameStore(result) ? () => stores.Find(result, null) : null);
            return target.Store is { } store
                ? RestoreAsync(services, store, stores.Authorities(result), target, revision, cancellationToken)
                : AskAsync(services, target, revision, cancellationToken);
        });
        return command;
    }

    /// <summary>A model's name may hold an @, a revision never does.</summary>
    private static (string Model, string Revision) Split(string text)
    {
        var at = text.LastIndexOf('@');
        return at > 0 && at + 1 < text.Length
            ? (text[..at], text[(at + 1)..])
            : throw CommandException.Usage($"which revision of '{text}'? Write MODEL@REVISION; `modelfs history` lists them");
    }

    private static async Task<int> AskAsync(CommandServices services, UndoTarget target, string revision, CancellationToken cancellationToken)
    {
        var errno = await services.Mounts.AskAsync(target.FileInMount, Attribute, revision, cancellationToken).ConfigureAwait(false);
        if (errno == 0)
        {
            services.Out.WriteLine($"{target.Model} is at revision {revision} again; the mount shows it as soon as no program uses the version that was there");
            return ExitCode.Done;
        }

        throw CommandException.Failure(errno switch
        {
            Errno.EROFS => $"{target.MountPoint} is mounted read-only; name the store instead",
            Errno.ENOTCONN => $"nothing serves {target.MountPoint} any more; `modelfs unmount` removes it",
            Errno.ENOENT or Errno.ENOTSUP when services.Mounts.LastErrorOf(target.FileInMount) is null => $"the daemon of {target.MountPoint} is of an older version; mount again, or name the store",
            _ => services.Mounts.LastErrorOf(target.FileInMount) ?? $"{target.MountPoint}: the daemon refused (errno {errno}); its log says more",
        });
    }

    private static async Task<int> RestoreAsync(
        CommandServices services, StoreAddress address, string? caFile, UndoTarget target, string revision, CancellationToken cancellationToken)
    {
        try
        {
            await using var store = services.Stores.Create(address, createBucket: false, caFile);
            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            var past = await ModelPast.ReadAsync(store, target.Model, cancellationToken).ConfigureAwait(false);
            var restored = await past.RestoreAsync(revision, cancellationToken).ConfigureAwait(false);
            services.Out.WriteLine(restored is null
                ? $"{target.Model} is at revision {revision} already"
                : $"{target.Model} is at revision {revision} again, as revision {restored.Revision} of {restored.Key}, {DisplayText.Bytes(restored.Length)}");
            return ExitCode.Done;
        }
        catch (StoreException exception)
        {
            throw exception.Kind == StoreErrorKind.Misconfigured ? CommandException.Usage(exception.Message) : CommandException.Failure(exception.Message);
        }
    }
}
