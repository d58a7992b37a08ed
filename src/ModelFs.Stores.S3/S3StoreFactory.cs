namespace ModelFs.Stores.S3;

/// <summary>Makes <see cref="S3Store"/>s of <c>s3://bucket[/prefix]</c>.</summary>
public sealed class S3StoreFactory : IModelStoreFactory
{
    /// <inheritdoc/>
    public string Form => "s3://BUCKET[/PREFIX][?endpoint=URL&region=REGION&path-style=true]";

    /// <inheritdoc/>
    public bool CanOpen(StoreUrl url) => url.Scheme == "s3";

    /// <inheritdoc/>
    public IModelStore Create(StoreUrl url, StoreOptions options) => new S3Store(S3Settings.Read(url, options.Environment), options);
}
