using Microsoft.Extensions.Logging.Abstractions;
using ModelFs.Cli.Listing;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>A store that a command moves models from or to, with the retries that a mount has.</summary>
internal sealed class TransferStore : IAsyncDisposable
{
    private readonly RetryingStore _store;

    private TransferStore(RetryingStore store) => _store = store;

    /// <summary>The store.</summary>
    public IModelStore Store => _store;

    /// <summary>Opens a store.</summary>
    /// <exception cref="StoreException">It can't be used.</exception>
    public static async Task<TransferStore> OpenAsync(CommandServices services, StoreAddress address, bool createBucket, string? caFile, CancellationToken cancellationToken)
    {
        var store = new RetryingStore(services.Stores.Create(address, createBucket, caFile), new RetryOptions(), NullLogger<RetryingStore>.Instance);
        try
        {
            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            return new TransferStore(store);
        }
        catch (StoreException denied) when (denied.Kind == StoreErrorKind.ListingDenied)
        {
            // A model that is named is found without a listing.
            return new TransferStore(store);
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The archive that a mount shows for a model.</summary>
    /// <returns>Null when there is none of it.</returns>
    public async Task<StoredModel?> FindAsync(ModelName model, CancellationToken cancellationToken)
    {
        foreach (var format in Enum.GetValues<ArchiveFormat>().Order())
        {
            var key = new ModelKey(model, format);
            if (await _store.StatAsync(key.ToString(), cancellationToken).ConfigureAwait(false) is { } stored)
            {
                return new StoredModel(key, stored);
            }
        }

        return null;
    }

    /// <summary>The archive that a user names, as a model or by its key.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public async Task<StoredModel> GetAsync(string text, CancellationToken cancellationToken)
    {
        if (await FindAsync(ModelAddress.NameOf(text), cancellationToken).ConfigureAwait(false) is { } found)
        {
            return found;
        }

        return ModelKey.TryParse(text, out var key) && await _store.StatAsync(text, cancellationToken).ConfigureAwait(false) is { } stored
            ? new StoredModel(key, stored)
            : throw CommandException.Failure($"there is no model '{text}' in {_store.DisplayName}; `modelfs ls` lists those that are");
    }

    /// <summary>Whether the store holds any object.</summary>
    public async Task<bool> HoldsAnythingAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _store.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        return false;
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}

/// <summary>A model in a store.</summary>
/// <param name="Key">Its archive's key.</param>
/// <param name="Stored">Its archive.</param>
internal sealed record StoredModel(ModelKey Key, StoredObject Stored);
