namespace ModelFs.Stores.Gcs.Tests;

/// <summary>The contract against the emulator, with uploads by one request.</summary>
[TestFixture]
internal sealed class GcsStoreTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => GcsServers.OnEmulatorAsync();
}

/// <summary>The contract with every upload in chunks of the smallest size.</summary>
[TestFixture]
internal sealed class GcsResumableStoreTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() =>
        GcsServers.OnEmulatorAsync(with: options => options with { SingleUploadBytesMax = 0, UploadPartBytes = 1 });
}

/// <summary>The contract below a prefix of a bucket that holds other objects, over TLS, with a token of a service account.</summary>
[TestFixture]
internal sealed class GcsPrefixOverTlsTests : ModelStoreContract
{
    protected override async Task<IModelStore> CreateEmptyStoreAsync()
    {
        var server = await GcsServers.GuardedAsync();
        var bucket = GcsServers.NewBucket();
        var options = new StoreOptions
        {
            CaFile = GcsServers.NewFile(server.AuthorityPem),
            Environment = GcsServers.Credentials(GcsServers.NewFile(server.Owner.KeyFile(server.TokenEndpoint))),
        };
        await using (var root = new GcsStoreFactory().Create(StoreUrl.Parse($"gs://{bucket}?endpoint={server.Endpoint}"), options))
        {
            await root.OpenAsync(CancellationToken.None);
            await root.PutAsync("other.tar.gz", [1]);
            await root.PutAsync("team/modelsx.tar.gz", [1]);
        }

        return new GcsStoreFactory().Create(StoreUrl.Parse($"gs://{bucket}/team/models?endpoint={server.Endpoint}"), options);
    }
}
