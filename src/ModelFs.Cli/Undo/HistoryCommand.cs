using System.CommandLine;
using System.Text.Json;
using ModelFs.Cli.Listing;
using ModelFs.Stores;
using Spectre.Console;

namespace ModelFs.Cli.Undo;

/// <summary><c>modelfs history</c>: what a store still has of a model, also of one that was deleted.</summary>
internal static class HistoryCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var places = new Argument<string[]>("[MOUNTPOINT|STORE] MODEL")
        {
            Description = "A model by name or path; before it, the mount whose daemon is asked, or the store. Without that: the only mount.",
            Arity = new ArgumentArity(1, 2),
        };
        var json = new Option<bool>("--json") { Description = "One JSON object: store, model, revisions (revision, key, bytes, modified, state, ended), notKept, localChanges." };
        var command = new Command("history", "List the versions of a model that the store has: the current one, and those that were replaced or deleted.") { places, json };
        var stores = new StoreArguments(services, command);
        command.SetAction(async (result, cancellationToken) =>
        {
            var target = UndoTarget.Find(services, result.GetRequiredValue(places), stores.NameStore(result) ? () => stores.Find(result, null) : null);
            var history = target.Store is { } store
                ? await ReadAsync(services, store, stores.Authorities(result), target, cancellationToken).ConfigureAwait(false)
                : await AskAsync(services, target, cancellationToken).ConfigureAwait(false);
            if (result.GetValue(json))
            {
                services.Out.WriteLine(history.ToJson());
            }
            else
            {
                Write(services, history);
            }

            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Asks the daemon of a mount.</summary>
    /// <exception cref="CommandException">It gave no answer, or the store gave it none.</exception>
    public static async Task<ModelHistory> AskAsync(CommandServices services, UndoTarget target, CancellationToken cancellationToken)
    {
        try
        {
            var history = ModelHistory.FromJson(await services.Mounts.ReadTextAsync(target.FileInMount, cancellationToken).ConfigureAwait(false));
            return history.Problem is { } problem ? throw CommandException.Failure(problem) : history;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw CommandException.Failure($"{target.MountPoint}: {exception.Message}; `modelfs status {target.MountPoint}` tells how the mount is");
        }
    }

    private static async Task<ModelHistory> ReadAsync(CommandServices services, StoreAddress address, string? caFile, UndoTarget target, CancellationToken cancellationToken)
    {
        try
        {
            await using var store = services.Stores.Create(address, createBucket: false, caFile);
            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            return (await ModelPast.ReadAsync(store, target.Model, cancellationToken).ConfigureAwait(false)).Describe();
        }
        catch (StoreException exception)
        {
            throw exception.Kind == StoreErrorKind.Misconfigured ? CommandException.Usage(exception.Message) : CommandException.Failure(exception.Message);
        }
    }

    private static void Write(CommandServices services, ModelHistory history)
    {
        if (history.Revisions.Count > 0)
        {
            // With several keys a revision alone does not say which archive it is.
            var showsKeys = history.Revisions.Select(each => each.Key).Distinct(StringComparer.Ordinal).Count() > 1;
            var table = new Table { Border = TableBorder.None };
            table.AddColumn(new TableColumn("REVISION").NoWrap().PadRight(2));
            table.AddColumn(new TableColumn("STORED").NoWrap().PadRight(2));
            table.AddColumn(new TableColumn("SIZE").RightAligned().NoWrap().PadRight(2));
            table.AddColumn(new TableColumn("STATE").NoWrap().PadRight(2));
            if (showsKeys)
            {
                table.AddColumn(new TableColumn("KEY").NoWrap());
            }

            foreach (var each in history.Revisions)
            {
                var state = each.Ended is { } ended ? $"{each.State} {DisplayText.Time(ended)}" : each.State;
                string[] cells = [each.Revision, DisplayText.Time(each.Modified), DisplayText.Bytes(each.Bytes), state];
                table.AddRow([.. (showsKeys ? [.. cells, each.Key] : cells).Select(cell => new Text(cell))]);
            }

            services.Console.Write(table);
        }
        else
        {
            services.Out.WriteLine($"{history.Store} has no model {history.Model}, and nothing of its past");
        }

        if (history.LocalChanges)
        {
            services.Out.WriteLine("and changes in this mount that the store does not have yet (modelfs status)");
        }

        if (history.NotKept is { } why)
        {
            services.Out.WriteLine(why);
        }
    }
}
