
namespace ModelFs.Stores.Tests;

[TestFixture]
internal sealed class MemoryStoreTests : ModelStoreContract
{
    protected override Task<IModelStore> CreateEmptyStoreAsync() => Task.FromResult<IModelStore>(new MemoryStore());
}
