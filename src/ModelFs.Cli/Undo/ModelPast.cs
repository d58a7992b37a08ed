using ModelFs.Models;
using ModelFs.Stores;

namespace ModelFs.Cli.Undo;

/// <summary>What an opened store has of one model, now and before, under all keys that the model can have.</summary>
internal sealed class ModelPast
{
    private readonly IModelStore _store;
    private readonly ModelName _model;
    private readonly IReadOnlyList<ObjectPast> _keys;

    private ModelPast(IModelStore store, ModelName model, IReadOnlyList<ObjectPast> keys)
    {
        _store = store;
        _model = model;
        _keys = keys;
    }

    /// <summary>Asks the store.</summary>
    /// <exception cref="StoreException">It failed, or keeps no past by any means.</exception>
    public static async Task<ModelPast> ReadAsync(IModelStore store, ModelName model, CancellationToken cancellationToken)
    {
        var history = store.History ?? throw new StoreException(StoreErrorKind.Rejected, $"{store.DisplayName}: this kind of store keeps no past versions");
        var keys = Enum.GetValues<ArchiveFormat>().Order().Select(format => history.ListAsync(new ModelKey(model, format).ToString(), cancellationToken));
        return new ModelPast(store, model, await Task.WhenAll(keys).ConfigureAwait(false));
    }

    /// <summary>For people and scripts.</summary>
    public ModelHistory Describe() => new(ModelHistory.CurrentVersion, _store.DisplayName, _model.ToString())
    {
        Revisions = [.. _keys.SelectMany(Current).Take(1), .. _keys.SelectMany(key => key.Past).OrderByDescending(each => each.Ended ?? each.Modified).Select(Describe)],
        NotKept = _keys[0].WhyNotKept,
    };

    /// <summary>Makes a past revision the model's current one, if what is current now is still what was read.</summary>
    /// <param name="wanted">A revision's name, or the beginning of one that no other begins with.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>What is current now; null when the wanted one was so already, and nothing was done.</returns>
    /// <exception cref="StoreException">There is no such revision, or the store refused; nothing was changed.</exception>
    public async Task<StoredObject?> RestoreAsync(string wanted, CancellationToken cancellationToken)
    {
        var shown = _keys.FirstOrDefault(key => key.Current is not null)?.Current;
        if (shown?.Revision.Value == wanted)
        {
            return null;
        }

        var found = Find(wanted);
        var place = _keys.First(key => key.Past.Contains(found));
        if (shown is not null && shown.Key != found.Key && FormatOf(shown.Key) < FormatOf(found.Key))
        {
            throw new StoreException(StoreErrorKind.Rejected, $"{_model}: {shown.Key} is shown in place of {found.Key}, so restoring that would change nothing; remove {shown.Key} first");
        }

        var condition = place.Current is { } current ? PublishCondition.Matches(current.Revision) : PublishCondition.Absent;
        return await _store.History!.RestoreAsync(found, condition, cancellationToken).ConfigureAwait(false);
    }

    private static ArchiveFormat FormatOf(string key) => ModelKey.TryParse(key, out var parsed) ? parsed.Format : ArchiveFormat.Zip;

    private static IEnumerable<ModelRevision> Current(ObjectPast key) => key.Current is { } now
        ? [new ModelRevision(now.Revision.Value, now.Key, now.Length, now.LastModified, ModelRevision.Current, null)]
        : [];

    private static ModelRevision Describe(PastRevision past) =>
        new(past.Id, past.Key, past.Length, past.Modified, past.WasDeleted ? ModelRevision.Deleted : ModelRevision.Replaced, past.Ended);

    private PastRevision Find(string wanted)
    {
        var all = _keys.SelectMany(key => key.Past).ToList();
        var exact = all.Where(each => each.Id == wanted).ToList();
        var found = exact.Count > 0 ? exact : wanted.Length == 0 ? [] : [.. all.Where(each => each.Id.StartsWith(wanted, StringComparison.Ordinal))];
        return found switch
        {
            [var only] => only,
            [] => throw new StoreException(
                StoreErrorKind.NotFound, $"{_model} has no past revision '{wanted}' in {_store.DisplayName}; {(all.Count == 0 ? "nothing of its past is kept" : $"`modelfs history` lists {all.Count}")}"),
            _ => throw new StoreException(StoreErrorKind.NotFound, $"'{wanted}' is the beginning of {found.Count} revisions of {_model}: {string.Join(", ", found.Select(each => each.Id))}"),
        };
    }
}
