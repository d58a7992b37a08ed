using System.CommandLine;
using ModelFs.Cli.Listing;

namespace ModelFs.Cli.Transfers;

/// <summary><c>modelfs cp</c>: copies a model from one store to another, or within one.</summary>
internal static class CopyCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var from = new Argument<string>("STORE/MODEL") { Description = "The model; one of a project is written PROJECT___NAME. Options of the store stand behind it: s3://bucket/bert?region=…" };
        var to = new Argument<string>("STORE[/NAME]") { Description = "As with cp, NAME is a new name unless it is a store itself; a slash at the end says that it is one." };
        var name = new Option<string?>("--name") { HelpName = "NAME", Description = "The copy's name, NAME or PROJECT/NAME; the second argument is the store then." };
        var force = new Option<bool>("--force") { Description = "Replace the model that the second store has." };
        var caFile = new Option<string?>("--ca-file") { HelpName = "FILE", Description = "Trust the certificate authorities in this PEM file, for both stores." };
        var noCreate = new Option<bool>("--no-create-bucket") { Description = "Fail when the second bucket or folder is missing, instead of creating it." };
        var json = new Option<bool>("--json") { Description = "One JSON object: model, store, key, revision, archiveBytes, bytes, files, replaced." };
        var command = new Command("cp", "Copy a model from one store to another. The archive stays as it is, unless its new name needs another.") { from, to, name, force, caFile, noCreate, json };
        command.SetAction((result, cancellationToken) =>
        {
            var authorities = (result.GetValue(caFile) ?? services.Variable("MODELFS_CA_FILE")) is { Length: > 0 } file ? services.Caller.Absolute(file) : null;
            var options = new TargetOptions(result.GetValue(name), !result.GetValue(noCreate), authorities);
            return RunAsync(
                services, result.GetRequiredValue(from), result.GetRequiredValue(to), options, result.GetValue(force), result.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static Task<int> RunAsync(
        CommandServices services, string fromText, string toText, TargetOptions options, bool force, bool asJson, CancellationToken cancellationToken)
    {
        var address = ModelAddress.Parse(fromText);
        if (address is not { Parent: { } parent, Last: { } model })
        {
            throw CommandException.Usage("the first argument names no model: write STORE/MODEL, for example s3://bucket/bert or /srv/models/bert");
        }

        return TransferErrors.TellAsync($"cannot copy {model}", async () =>
        {
            var from = await TransferStore.OpenAsync(services, StoreFinder.Parse(services, parent), createBucket: false, options.CaFile, cancellationToken).ConfigureAwait(false);
            await using (from.ConfigureAwait(false))
            {
                var source = await from.GetAsync(model, cancellationToken).ConfigureAwait(false);
                var target = await TransferTarget.OpenAsync(services, toText, source.Key.Model, options, cancellationToken).ConfigureAwait(false);
                await using (target.ConfigureAwait(false))
                {
                    if (target.Model == source.Key.Model && target.To.Store.DisplayName == from.Store.DisplayName)
                    {
                        throw CommandException.Usage($"{target.Model} in {from.Store.DisplayName} would be copied onto itself; name another store or another NAME");
                    }

                    var existing = await target.FindReplaceableAsync(force, cancellationToken).ConfigureAwait(false);
                    var done = await TransferView.ShowAsync(
                        services.Console, asJson, view => new ModelCopying(from.Store, target, view).RunAsync(source, existing, cancellationToken)).ConfigureAwait(false);
                    services.Out.WriteLine(asJson
                        ? done.ToJson()
                        : $"copied {source.Key.Model} from {from.Store.DisplayName} to {done.Store} as {done.Model} ({done.Key}, {DisplayText.Bytes(done.ArchiveBytes)})");
                    return ExitCode.Done;
                }
            }
        });
    }
}
