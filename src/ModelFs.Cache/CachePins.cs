using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Which models a person wants to stay here: they are never evicted, and fetched again when the store has another version. Kept in <c>pins.json</c>.</summary>
public sealed class CachePins
{
    private readonly string _path;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _models;

    internal CachePins(CacheFolder folder)
    {
        _path = Path.Combine(folder.Root, "pins.json");
        _models = new HashSet<string>(DurableFile.Read(_path, CacheJson.Default.PinnedModels)?.Models ?? [], StringComparer.Ordinal);
    }

    /// <summary>Whether a model is to stay here.</summary>
    public bool IsPinned(ModelName model)
    {
        lock (_gate)
        {
            return _models.Contains(model.ToString());
        }
    }

    /// <summary>Names of the pinned models as the mount shows them.</summary>
    public IReadOnlyList<string> All()
    {
        lock (_gate)
        {
            return [.. _models];
        }
    }

    /// <summary>Pins or unpins a model; returns when the next daemon knows it.</summary>
    /// <exception cref="ModelException">The cache's disk refused; nothing changed.</exception>
    internal void Set(ModelName model, bool isPinned)
    {
        lock (_gate)
        {
            var models = new HashSet<string>(_models, StringComparer.Ordinal);
            if (isPinned ? models.Add(model.ToString()) : models.Remove(model.ToString()))
            {
                DurableFile.Write(_path, new PinnedModels(1, [.. models.Order(StringComparer.Ordinal)]), CacheJson.Default.PinnedModels, durable: true);
                _models.Clear();
                _models.UnionWith(models);
            }
        }
    }
}

/// <summary>The content of <c>pins.json</c>.</summary>
/// <param name="Version">Of this format; 1.</param>
/// <param name="Models">Names as the mount shows them.</param>
public sealed record PinnedModels(int Version, IReadOnlyList<string> Models);
