namespace ModelFs.Stores;

/// <summary>What it means that the source of an archive's segments was replaced while it was published.</summary>
public static class ReplacedSource
{
    /// <summary>Publishes. Where the condition does not hold any more either, this is what the caller is told.</summary>
    /// <param name="store">Looks the key up.</param>
    /// <param name="key">To be published.</param>
    /// <param name="condition">Of the publish.</param>
    /// <param name="publishAsync">Publishes; may find the source replaced.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    /// <exception cref="StoreException">As <see cref="IModelStore.PublishAsync"/> says.</exception>
    public static async Task<T> AsConditionAsync<T>(IModelStore store, string key, PublishCondition condition, Func<Task<T>> publishAsync, CancellationToken cancellationToken)
    {
        try
        {
            return await publishAsync().ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.RevisionChanged && condition.Revision is not null)
        {
            var current = await store.StatAsync(key, cancellationToken).ConfigureAwait(false);
            if (current?.Revision == condition.Revision)
            {
                throw;
            }

            throw new StoreException(StoreErrorKind.PreconditionFailed, $"{store.DisplayName}: publishing {key}: it is not at revision {condition.Revision} any more", failure);
        }
    }
}
