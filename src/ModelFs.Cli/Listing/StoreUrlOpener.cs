using ModelFs.Stores;

namespace ModelFs.Cli.Listing;

/// <summary>Opens the stores that <see cref="StoreUrl"/> addresses name.</summary>
/// <param name="stores">The kinds of stores that the program ships.</param>
/// <param name="options">What all stores share.</param>
internal sealed class StoreUrlOpener(StoreOpener stores, StoreOptions options) : IStoreOpener
{
    private const string Hidden = "***";

    public StoreAddress Parse(string text, string workingDirectory)
    {
        var url = StoreUrl.Parse(text);
        if (url.Scheme == "file")
        {
            url.RequireOptionsAmong();

            // A keeper runs at the root of the file system, so a relative path must be resolved here; and however a folder is written, it has one cache.
            var isUrl = text.Contains("://", StringComparison.Ordinal);
            var folder = Path.TrimEndingDirectorySeparator(isUrl ? url.Place : Path.GetFullPath(text, workingDirectory));
            return new StoreAddress(folder, "file://" + folder, HoldsSecret: false);
        }

        return new StoreAddress(text, url.Redacted, HoldsSecret: url.Redacted.Contains(Hidden, StringComparison.Ordinal));
    }

    public IModelStore Create(StoreAddress address, bool createBucket, string? caFile, TimeSpan? noProgress = null, int? keepRevisions = null)
    {
        var deadlines = noProgress is { } limit ? options.Deadlines with { NoProgress = limit } : options.Deadlines;
        return stores.Create(StoreUrl.Parse(address.Text), options with { CreateIfMissing = createBucket, CaFile = caFile, Deadlines = deadlines, KeepRevisions = keepRevisions ?? options.KeepRevisions });
    }
}
