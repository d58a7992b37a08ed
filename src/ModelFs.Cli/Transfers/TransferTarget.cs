using ModelFs.Cli.Listing;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>Where a model goes to: an open store, and the name that it gets there.</summary>
/// <param name="To">Disposed of by the owner of this.</param>
/// <param name="Model">The name.</param>
internal sealed record TransferTarget(TransferStore To, ModelName Model) : IAsyncDisposable
{
    /// <summary>
    /// Opens what <c>STORE[/NAME]</c> means, as <c>cp</c> would: a bucket, a database, a folder that exists, an address that ends with a slash or that holds
    /// something is a store, in which the model keeps its name; of any other address the last part is the model's new name.
    /// </summary>
    /// <param name="services">The machine.</param>
    /// <param name="text">What the user wrote.</param>
    /// <param name="own">The name that the model has; null when it can't have it in a store.</param>
    /// <param name="options">How to open the store.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<TransferTarget> OpenAsync(
        CommandServices services, string text, ModelName? own, TargetOptions options, CancellationToken cancellationToken)
    {
        var address = ModelAddress.Parse(text);
        var named = options.Name is { } name ? ModelAddress.NameOf(name) : null;
        if (named is not null || address.IsStore || address.Parent is null || await IsStoreAsync(services, address, options, cancellationToken).ConfigureAwait(false))
        {
            var model = named ?? own ?? throw NoName();
            return new TransferTarget(await OpenStoreAsync(services, address.Store, options, cancellationToken).ConfigureAwait(false), model);
        }

        return new TransferTarget(
            await OpenStoreAsync(services, address.Parent, options, cancellationToken).ConfigureAwait(false),
            ModelKey.TryParse(address.Last!, out var key) ? key.Model : ModelAddress.NameOf(address.Last!));
    }

    /// <summary>Opens the store that options or the environment name.</summary>
    public static async Task<TransferTarget> OpenAsync(
        CommandServices services, StoreAddress address, ModelName? own, TargetOptions options, CancellationToken cancellationToken)
    {
        var model = (options.Name is { } name ? ModelAddress.NameOf(name) : own) ?? throw NoName();
        return new TransferTarget(await TransferStore.OpenAsync(services, address, options.CreateBucket, options.CaFile, cancellationToken).ConfigureAwait(false), model);
    }

    /// <summary>The archive that the model has there now, or null.</summary>
    /// <exception cref="CommandException">There is one, and it is not to be replaced.</exception>
    public async Task<StoredModel?> FindReplaceableAsync(bool force, CancellationToken cancellationToken)
    {
        var existing = await To.FindAsync(Model, cancellationToken).ConfigureAwait(false);
        return existing is null || force
            ? existing
            : throw CommandException.Failure(
                $"{Model} is in {To.Store.DisplayName} already ({existing.Key}, {DisplayText.Bytes(existing.Stored.Length)}, {DisplayText.Time(existing.Stored.LastModified)}); --force replaces it");
    }

    /// <summary>Stores an archive, if the store still has what was seen there before.</summary>
    /// <exception cref="CommandException">It has something else by now.</exception>
    public async Task<StoredObject> PublishAsync(ModelKey key, StoredModel? existing, IPublishContent content, CancellationToken cancellationToken)
    {
        try
        {
            var condition = existing is not null && existing.Key == key ? PublishCondition.Matches(existing.Stored.Revision) : PublishCondition.Absent;
            return await To.Store.PublishAsync(key.ToString(), content, condition, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException changed) when (changed.Kind == StoreErrorKind.PreconditionFailed)
        {
            throw CommandException.Failure($"{key} in {To.Store.DisplayName} was changed by somebody else meanwhile; nothing was replaced, look at it and try again");
        }
    }

    public ValueTask DisposeAsync() => To.DisposeAsync();

    private static CommandException NoName() =>
        CommandException.Usage("the folder's name can't be that of a model: it may neither begin with a dot nor hold two times ___; give one with --name NAME");

    private static async Task<bool> IsStoreAsync(CommandServices services, ModelAddress address, TargetOptions options, CancellationToken cancellationToken)
    {
        if (!address.Store.Contains("://", StringComparison.Ordinal))
        {
            return Directory.Exists(services.Caller.Absolute(address.Store));
        }

        try
        {
            var store = await OpenStoreAsync(services, address.Store, options with { CreateBucket = false }, cancellationToken).ConfigureAwait(false);
            await using (store.ConfigureAwait(false))
            {
                return await store.HoldsAnythingAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (StoreException missing) when (missing.Kind is StoreErrorKind.NotFound or StoreErrorKind.ListingDenied)
        {
            return false;
        }
    }

    private static Task<TransferStore> OpenStoreAsync(CommandServices services, string text, TargetOptions options, CancellationToken cancellationToken) =>
        TransferStore.OpenAsync(services, StoreFinder.Parse(services, text), options.CreateBucket, options.CaFile, cancellationToken);
}

/// <summary>How a target is opened.</summary>
/// <param name="Name">The model's name that an option gives, or null.</param>
/// <param name="CreateBucket">Whether a missing bucket or folder is created.</param>
/// <param name="CaFile">A PEM file of trusted authorities, or null.</param>
internal sealed record TargetOptions(string? Name, bool CreateBucket, string? CaFile);
