using System.CommandLine;
using System.Text;
using System.Text.Json;
using ModelFs.Stores;

namespace ModelFs.Cli.Listing;

/// <summary><c>modelfs ls</c>: lists a store's models without mounting it.</summary>
internal static class ListCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var store = new Argument<string?>("STORE") { Description = "As for `modelfs mount`.", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "One JSON object: store, models (name, key, bytes, modified, format, revision), otherObjects." };
        var command = new Command("ls", "List the models of a store, without mounting it.") { store, json };
        var stores = new StoreArguments(services, command);
        command.SetAction((result, cancellationToken) =>
            RunAsync(services, stores.Find(result, result.GetValue(store)), stores.Authorities(result), result.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandServices services, StoreAddress address, string? caFile, bool asJson, CancellationToken cancellationToken)
    {
        try
        {
            await using var store = services.Stores.Create(address, createBucket: false, caFile);
            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            var listing = await ModelListing.ReadAsync(store, cancellationToken).ConfigureAwait(false);
            if (asJson)
            {
                services.Out.WriteLine(JsonSerializer.Serialize(listing, ModelListingJson.Default.ModelListing));
            }
            else
            {
                Write(services, listing);
            }

            return ExitCode.Done;
        }
        catch (StoreException exception)
        {
            throw exception.Kind == StoreErrorKind.Misconfigured ? CommandException.Usage(exception.Message) : CommandException.Failure(exception.Message);
        }
    }

    private static void Write(CommandServices services, ModelListing listing)
    {
        if (listing.Models.Count > 0)
        {
            WriteTable(services.Out, listing.Models);
        }
        else
        {
            services.Out.WriteLine($"no models in {listing.Store}");
        }

        if (listing.OtherObjects > 0)
        {
            services.Out.WriteLine($"and {DisplayText.Count(listing.OtherObjects, "other object")} that a mount does not show");
        }
    }

    /// <summary>Columns without Spectre.Console, which takes longer to lay out 20,000 rows than the store to list them.</summary>
    private static void WriteTable(TextWriter output, IReadOnlyList<ListedModel> models)
    {
        const string name = "MODEL", size = "SIZE";
        var nameWidth = Math.Max(name.Length, models.Max(model => model.Name.Length));
        var sizeWidth = Math.Max(size.Length, models.Max(model => DisplayText.Bytes(model.Bytes).Length));
        var timeWidth = DisplayText.Time(default).Length;
        var table = new StringBuilder();
        table.Append(name.PadRight(nameWidth)).Append("  ").Append(size.PadLeft(sizeWidth)).Append("  ").Append("MODIFIED".PadRight(timeWidth)).Append("  FORMAT\n");
        foreach (var model in models)
        {
            table.Append(model.Name.PadRight(nameWidth)).Append("  ").Append(DisplayText.Bytes(model.Bytes).PadLeft(sizeWidth)).Append("  ")
                .Append(DisplayText.Time(model.Modified)).Append("  ").Append(model.Format).Append('\n');
        }

        output.Write(table);
    }
}
