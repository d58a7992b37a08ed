namespace ModelFs.Stores.Gcs;

/// <summary>Makes <see cref="GcsStore"/>s of <c>gs://bucket[/prefix]</c>.</summary>
public sealed class GcsStoreFactory : IModelStoreFactory
{
    /// <inheritdoc/>
    public string Form => "gs://BUCKET[/PREFIX][?project=PROJECT&endpoint=URL]";

    /// <inheritdoc/>
    public bool CanOpen(StoreUrl url) => url.Scheme == "gs";

    /// <inheritdoc/>
    public IModelStore Create(StoreUrl url, StoreOptions options) => new GcsStore(GcsSettings.Read(url, options.Environment), options);
}
