using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>The contract against Ceph's object gateway, with uploads by one request.</summary>
[TestFixture]
internal sealed class S3StoreTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult(S3Stores.New());
}

/// <summary>The contract below a prefix of a bucket that holds other objects, over TLS.</summary>
[TestFixture]
internal sealed class S3PrefixOverTlsTests : ModelStoreContract
{
    protected override async Task<IModelStore> CreateEmptyStoreAsync()
    {
        var bucket = S3Stores.NewBucket();
        await using (var root = S3Stores.Of(bucket))
        {
            await root.OpenAsync(CancellationToken.None);
            await root.PutAsync("other.tar.gz", [1]);
            await root.PutAsync("team/modelsx.tar.gz", [1]);
        }

        var url = StoreUrl.Parse($"s3://{bucket}/team/models?endpoint={CephServer.TlsEndpoint}&region=default");
        return new S3StoreFactory().Create(url, new StoreOptions { CaFile = CephServer.CaFile, Environment = CephServer.Owner });
    }
}

/// <summary>Stores on the real server.</summary>
internal static class S3Stores
{
    private static int _buckets;

    public static string NewBucket() => $"bucket-{Environment.ProcessId}-{Interlocked.Increment(ref _buckets)}";

    public static IModelStore New(StoreOptions? options = null) => Of(NewBucket(), options);

    public static IModelStore Of(string bucket, StoreOptions? options = null) => At(CephServer.Endpoint, bucket, options);

    public static IModelStore At(string endpoint, string bucket, StoreOptions? options = null) =>
        new S3StoreFactory().Create(StoreUrl.Parse($"s3://{bucket}?endpoint={endpoint}"), options ?? new StoreOptions { Environment = CephServer.Owner });
}
