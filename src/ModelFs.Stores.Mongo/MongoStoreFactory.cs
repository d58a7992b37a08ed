namespace ModelFs.Stores.Mongo;

/// <summary>Makes <see cref="MongoStore"/>s of <c>mongodb://</c> and <c>mongodb+srv://</c>.</summary>
public sealed class MongoStoreFactory : IModelStoreFactory
{
    /// <inheritdoc/>
    public string Form => "mongodb://[USER:PASSWORD@]HOST/DATABASE?collection=NAME";

    /// <inheritdoc/>
    public bool CanOpen(StoreUrl url) => url.Scheme is "mongodb" or "mongodb+srv";

    /// <inheritdoc/>
    public IModelStore Create(StoreUrl url, StoreOptions options) => new MongoStore(MongoSettings.Read(url), options);
}
