namespace ModelFs.Stores;

/// <summary>Finds the kind of store that an address belongs to.</summary>
/// <param name="factories">The kinds of stores that the program ships; the first that claims an address makes its store.</param>
public sealed class StoreOpener(IReadOnlyList<IModelStoreFactory> factories)
{
    /// <summary>Makes the store; it is reached only by <see cref="IModelStore.OpenAsync"/>.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the address can't be right, or is of no known kind.</exception>
    public IModelStore Create(StoreUrl url, StoreOptions options)
    {
        foreach (var factory in factories)
        {
            if (factory.CanOpen(url))
            {
                return factory.Create(url, options);
            }
        }

        var forms = string.Join(" or ", factories.Select(factory => factory.Form));
        throw new StoreException(StoreErrorKind.Misconfigured, $"there is no kind of store called {url.Scheme}://; write {forms}");
    }
}
