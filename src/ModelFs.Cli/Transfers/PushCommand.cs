using System.CommandLine;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Options;
using ModelFs.Models;

namespace ModelFs.Cli.Transfers;

/// <summary><c>modelfs push</c>: publishes a folder as a model, without a mount.</summary>
internal static class PushCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var folder = new Argument<string>("DIR") { Description = "The model's folder." };
        var store = new Argument<string?>("STORE[/NAME]")
        {
            Description = "As for `modelfs mount`; where an option names the store, NAME alone. As with cp, NAME is a new name unless it is a store itself.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var name = new Option<string?>("--name") { HelpName = "NAME", Description = "The model's name, NAME or PROJECT/NAME; the argument is the store then." };
        var force = new Option<bool>("--force") { Description = "Replace the model that the store has." };
        var layout = new Option<string?>("--archive-layout")
        {
            HelpName = "named|dot|bare|empty-root",
            Description = "How the archive's members are named. Default: as in the archive that is replaced; for a new model named (Rasa NLU 0.4-0.9), in a project dot (0.10-0.15).",
        };
        layout.CompletionSources.Add([.. ArchiveLayouts.Words.Select(word => word.Word)]);
        var noCreate = new Option<bool>("--no-create-bucket") { Description = "Fail when the bucket or folder is missing, instead of creating it." };
        var json = new Option<bool>("--json") { Description = "One JSON object: model, store, key, revision, archiveBytes, bytes, files, folder, replaced." };
        var command = new Command("push", "Publish a folder as a model, without mounting the store.") { folder, store, name, force, layout, noCreate, json };
        var stores = new StoreArguments(services, command);
        command.SetAction(async (result, cancellationToken) =>
        {
            var from = Folder(services, result.GetRequiredValue(folder));
            var wanted = Layout(result.GetValue(layout));
            var text = result.GetValue(store);
            var isStoreNamed = stores.NameStore(result);
            var options = new TargetOptions(result.GetValue(name) ?? (isStoreNamed ? text : null), !result.GetValue(noCreate), stores.Authorities(result));
            return await TransferErrors.TellAsync($"cannot push {from}", async () =>
            {
                var own = ModelName.TryParseStem(Path.GetFileName(from), out var named) ? named : null;
                var target = text is null || isStoreNamed
                    ? await TransferTarget.OpenAsync(services, stores.Find(result, null), own, options, cancellationToken).ConfigureAwait(false)
                    : await TransferTarget.OpenAsync(services, text, own, options, cancellationToken).ConfigureAwait(false);
                await using (target.ConfigureAwait(false))
                {
                    var existing = await target.FindReplaceableAsync(result.GetValue(force), cancellationToken).ConfigureAwait(false);
                    var done = await TransferView.ShowAsync(
                        services.Console, result.GetValue(json), view => new ModelPush(target, view).RunAsync(from, existing, wanted, cancellationToken)).ConfigureAwait(false);
                    services.Out.WriteLine(result.GetValue(json)
                        ? done.ToJson()
                        : $"pushed {from} to {done.Store} as {done.Model} ({DisplayText.Count(done.Files, "file")}, {DisplayText.Bytes(done.Bytes)}; {done.Key}, {DisplayText.Bytes(done.ArchiveBytes)})");
                    return ExitCode.Done;
                }
            }).ConfigureAwait(false);
        });
        return command;
    }

    private static string Folder(CommandServices services, string text)
    {
        var folder = services.Caller.Absolute(text);
        return Directory.Exists(folder) ? folder : throw CommandException.Failure($"there is no folder {folder}; `modelfs push` takes a model's folder, `modelfs cp` an archive of a store");
    }

    private static ArchiveLayout? Layout(string? text)
    {
        try
        {
            return text is null ? null : OptionText.OneOf(text, ArchiveLayouts.Words);
        }
        catch (FormatException exception)
        {
            throw CommandException.Usage($"--archive-layout: {exception.Message}");
        }
    }
}
