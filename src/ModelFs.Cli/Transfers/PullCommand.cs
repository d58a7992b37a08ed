using System.CommandLine;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Transfers;

/// <summary><c>modelfs pull</c>: brings one model of a store into a folder, without a mount.</summary>
internal static class PullCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var store = new Argument<string?>("STORE") { Description = "As for `modelfs mount`. Left out where an option or MODELFS_STORE names it.", Arity = ArgumentArity.ZeroOrOne };
        var model = new Argument<string?>("MODEL") { Description = "NAME or PROJECT/NAME, as a mount shows it; or the key of its archive.", Arity = ArgumentArity.ZeroOrOne };
        var folder = new Argument<string?>("DIR")
        {
            Description = "The folder that the model becomes; with a slash at its end, the folder that it is put into. Default: NAME.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var force = new Option<bool>("--force") { Description = "Replace the folder, whatever is in it." };
        var json = new Option<bool>("--json") { Description = "One JSON object: model, store, key, revision, archiveBytes, bytes, files, folder, replaced." };
        var command = new Command("pull", "Bring a model of a store into a folder, without mounting the store.") { store, model, folder, force, json };
        var stores = new StoreArguments(services, command);
        command.SetAction(async (result, cancellationToken) =>
        {
            string?[] given = [result.GetValue(store), result.GetValue(model), result.GetValue(folder)];
            var (storeText, modelText, place) = Places(given, stores.NameStore(result));
            var address = stores.Find(result, storeText);
            return await TransferErrors.TellAsync($"cannot pull {modelText}", async () =>
            {
                var from = await TransferStore.OpenAsync(services, address, createBucket: false, stores.Authorities(result), cancellationToken).ConfigureAwait(false);
                await using (from.ConfigureAwait(false))
                {
                    var source = await from.GetAsync(modelText, cancellationToken).ConfigureAwait(false);
                    var target = Target(services, place, source.Key.Model.Name);
                    RequirePlace(services, target, source.Key.Model.Name, result.GetValue(force));
                    var done = await TransferView.ShowAsync(
                        services.Console,
                        result.GetValue(json),
                        view => new ModelPull(services, from.Store, view).RunAsync(source, target, result.GetValue(force), cancellationToken)).ConfigureAwait(false);
                    services.Out.WriteLine(result.GetValue(json)
                        ? done.ToJson()
                        : $"pulled {done.Model} from {done.Store} to {done.Folder} ({DisplayText.Count(done.Files, "file")}, {DisplayText.Bytes(done.Bytes)})");
                    return ExitCode.Done;
                }
            }).ConfigureAwait(false);
        });
        return command;
    }

    private static (string? Store, string Model, string? Folder) Places(string?[] given, bool isStoreNamed) => given switch
    {
        [{ } model, { } folder, null] when isStoreNamed => (null, model, folder),
        [{ } model, null, null] => (null, model, null),
        [_, _, { } more] when isStoreNamed => throw CommandException.Usage($"'{more}' is one argument too many: an option names the store, so MODEL and DIR are left"),
        [{ } store, { } model, var folder] => (store, model, folder),
        _ => throw CommandException.Usage("no model is named: modelfs pull STORE MODEL [DIR]"),
    };

    private static string Target(CommandServices services, string? place, string name)
    {
        var isParent = place is null || place.EndsWith('/') || place is "." or "..";
        return isParent ? services.Caller.Absolute(Path.Combine(place ?? ".", name)) : services.Caller.Absolute(place!);
    }

    /// <summary>Refuses, before anything is fetched, to cover what is not to be covered.</summary>
    private static void RequirePlace(CommandServices services, string target, string name, bool force)
    {
        var existing = new DirectoryInfo(target);
        if (File.Exists(target) || existing.LinkTarget is not null)
        {
            throw CommandException.Failure($"{target} is {(existing.LinkTarget is null ? "a file" : "a symbolic link")}; remove it, or name another folder");
        }

        if (!existing.Exists)
        {
            return;
        }

        if (!force && existing.EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }).Any())
        {
            throw CommandException.Failure($"{target} exists and is not empty; write {target}/ to put {name} into it, or --force to replace it");
        }

        foreach (var place in new[] { services.Caller.WorkingDirectory, services.Variable("HOME") })
        {
            if (place is not null && MountSearch.IsWithin(place, target))
            {
                throw CommandException.Usage($"{target} holds {place}, which a model can't take the place of; name another folder");
            }
        }
    }
}
