using System.Text.Json.Serialization;
using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Listing;

/// <summary>The models of a store, as <c>modelfs ls --json</c> writes them; the names are a contract.</summary>
/// <param name="Store">The store, without secrets.</param>
/// <param name="Models">By name.</param>
/// <param name="OtherObjects">How many objects are no model's archive and are not shown by a mount.</param>
internal sealed record ModelListing(string Store, IReadOnlyList<ListedModel> Models, int OtherObjects)
{
    /// <summary>Lists an opened store.</summary>
    /// <exception cref="StoreException">The store failed.</exception>
    public static async Task<ModelListing> ReadAsync(IModelStore store, CancellationToken cancellationToken)
    {
        var models = new List<ListedModel>();
        var others = 0;
        await foreach (var item in store.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (ModelKey.TryParse(item.Key, out var key))
            {
                models.Add(new ListedModel(key.Model.ToString(), item.Key, item.Length, item.LastModified, key.Format.Suffix()[1..], item.Revision.Value));
            }
            else
            {
                others++;
            }
        }

        return new ModelListing(store.DisplayName, [.. models.OrderBy(model => model.Name, StringComparer.Ordinal)], others);
    }
}

/// <summary>One model of a store.</summary>
/// <param name="Name">As a mount shows it.</param>
/// <param name="Key">Of its archive, relative to the store's prefix.</param>
/// <param name="Bytes">Of its archive.</param>
/// <param name="Modified">When the archive was stored.</param>
/// <param name="Format">Of the archive, its ending without the dot: <c>tar.gz</c>.</param>
/// <param name="Revision">The store's own name for these bytes.</param>
internal sealed record ListedModel(string Name, string Key, long Bytes, DateTimeOffset Modified, string Format, string Revision);

/// <summary>Serializes <see cref="ModelListing"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelListing))]
internal sealed partial class ModelListingJson : JsonSerializerContext;
