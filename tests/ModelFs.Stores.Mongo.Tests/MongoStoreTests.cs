namespace ModelFs.Stores.Mongo.Tests;

/// <summary>The contract; its archives are none that a document can hold, so they are kept in GridFS.</summary>
[TestFixture]
internal sealed class MongoStoreTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult(MongoStores.New());
}

/// <summary>Stores on the test server.</summary>
internal static class MongoStores
{
    public static IModelStore New(StoreOptions? options = null) => At(MongoServer.NewDatabase(), options);

    public static IModelStore At(string database, StoreOptions? options = null) =>
        new MongoStoreFactory().Create(StoreUrl.Parse(database + (database.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "collection=models"), options ?? new StoreOptions());
}
