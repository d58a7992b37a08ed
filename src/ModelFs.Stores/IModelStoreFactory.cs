namespace ModelFs.Stores;

/// <summary>Makes the stores of one kind of address. The program composes the kinds it ships into a <see cref="StoreOpener"/>.</summary>
public interface IModelStoreFactory
{
    /// <summary>How such an address is written, for help and error messages.</summary>
    string Form { get; }

    /// <summary>Whether the address is of this kind.</summary>
    bool CanOpen(StoreUrl url);

    /// <summary>Makes the store from its address, checking all settings that can be checked without reaching it.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the address can't be right.</exception>
    IModelStore Create(StoreUrl url, StoreOptions options);
}
