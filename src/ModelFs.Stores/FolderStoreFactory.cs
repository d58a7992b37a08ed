namespace ModelFs.Stores;

/// <summary>Makes <see cref="FolderStore"/>s of <c>file:///dir</c> and plain paths.</summary>
public sealed class FolderStoreFactory : IModelStoreFactory
{
    /// <inheritdoc/>
    public string Form => "/path/of/a/folder";

    /// <inheritdoc/>
    public bool CanOpen(StoreUrl url) => url.Scheme == "file";

    /// <inheritdoc/>
    public IModelStore Create(StoreUrl url, StoreOptions options)
    {
        url.RequireOptionsAmong();
        return new FolderStore(url.Place, options);
    }
}
