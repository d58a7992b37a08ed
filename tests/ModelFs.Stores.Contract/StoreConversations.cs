namespace ModelFs.Stores.Contract;

/// <summary>The calls of the tests, in few words.</summary>
public static class StoreConversations
{
    public static Task<StoredObject> PutAsync(this IModelStore store, string key, byte[] bytes, PublishCondition? condition = null) =>
        store.PublishAsync(key, new BytesContent(bytes), condition ?? PublishCondition.None, CancellationToken.None);

    public static async Task<byte[]> GetAsync(this IModelStore store, StoredObject source, long offset, long length)
    {
        await using var stream = await store.ReadAsync(source, offset, length, CancellationToken.None);
        return await DrainAsync(stream);
    }

    public static Task<byte[]> GetAsync(this IModelStore store, StoredObject source) => store.GetAsync(source, 0, source.Length);

    public static async Task<byte[]> DrainAsync(Stream stream)
    {
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    public static async Task<List<StoredObject>> AllAsync(this IModelStore store)
    {
        var all = new List<StoredObject>();
        await foreach (var found in store.ListAsync(CancellationToken.None))
        {
            all.Add(found);
        }

        return all;
    }

    /// <summary>Runs a call that must fail, and hands out its failure.</summary>
    public static async Task<StoreException> FailureOf(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (StoreException exception)
        {
            return exception;
        }

        throw new AssertionException("the call succeeded");
    }

    public static async Task<StoreErrorKind> FailureKindOf(Func<Task> call) => (await FailureOf(call)).Kind;
}
