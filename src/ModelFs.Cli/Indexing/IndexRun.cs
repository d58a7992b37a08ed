using ModelFs.Archives;
using ModelFs.Cli.Transfers;
using ModelFs.Stores;
using Spectre.Console;

namespace ModelFs.Cli.Indexing;

/// <summary>Goes through models one by one and tells what became of each. What one model fails with stops no other; a run that is broken off goes on with the next run.</summary>
internal sealed class IndexRun(CommandServices services, IModelStore store, TransferView view, PackCompression compression, bool dryRun)
{
    private readonly ArchiveIndexing _indexing = new(store, view, compression);
    private int _done;
    private int _had;
    private int _skipped;
    private int _failed;

    /// <summary>Does it.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(IReadOnlyList<StoredModel> models, CancellationToken cancellationToken)
    {
        foreach (var model in models)
        {
            await TellAsync(model, cancellationToken).ConfigureAwait(false);
        }

        var summary = $"{DisplayText.Count(_done, "archive")} {(dryRun ? "would be indexed" : "indexed")}, {_had:#,0} had an index";
        summary += _skipped > 0 ? $", {_skipped:#,0} can't have one" : "";
        services.Console.WriteLine(summary + (_failed > 0 ? $", {_failed:#,0} failed" : ""));
        return _failed > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private async Task TellAsync(StoredModel model, CancellationToken cancellationToken)
    {
        try
        {
            var outcome = await _indexing.RunAsync(model, dryRun, cancellationToken).ConfigureAwait(false);
            switch (outcome.State)
            {
                case IndexState.Had:
                    _had++;
                    break;
                case IndexState.Impossible:
                    _skipped++;
                    services.Console.WriteLine($"{model.Key} stays as it is: {outcome.Reason}");
                    break;
                case IndexState.Wanted:
                    _done++;
                    services.Console.WriteLine($"{model.Key} would be indexed ({DisplayText.Bytes(model.Stored.Length)})");
                    break;
                case IndexState.Made:
                    _done++;
                    services.Console.WriteLine($"{model.Key} is indexed ({DisplayText.Bytes(model.Stored.Length)} became {DisplayText.Bytes(outcome.ArchiveBytes)}; {outcome.Reason})");
                    break;
            }
        }
        catch (Exception error) when (error is StoreException or ArchiveException or PackException or IOException or UnauthorizedAccessException)
        {
            _failed++;
            services.Error.WriteLine($"modelfs: {model.Key} stays as it is: {Reason(error)}");
        }
    }

    private static string Reason(Exception error) => error is StoreException { Kind: StoreErrorKind.PreconditionFailed or StoreErrorKind.RevisionChanged or StoreErrorKind.NotFound }
        ? "somebody changed it meanwhile; run the command again"
        : error.Message;
}
