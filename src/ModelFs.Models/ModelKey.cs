using System.Diagnostics.CodeAnalysis;

namespace ModelFs.Models;

/// <summary>The key of a model's archive in a store, relative to the store's prefix: <c>NAME.tar.gz</c> or <c>PROJECT___NAME.tar.gz</c>.</summary>
/// <param name="Model">The model that the key names.</param>
/// <param name="Format">The archive format that its ending names.</param>
public sealed record ModelKey(ModelName Model, ArchiveFormat Format)
{
    /// <summary>Parses a key relative to the store's prefix.</summary>
    /// <returns>False for anything that is no model's archive; such objects are not shown.</returns>
    public static bool TryParse(string key, [NotNullWhen(true)] out ModelKey? parsed)
    {
        parsed = ArchiveFormats.TrySplit(key, out var stem, out var format) && ModelName.TryParseStem(stem, out var model)
            ? new ModelKey(model, format)
            : null;
        return parsed is not null;
    }

    /// <summary>The key's text.</summary>
    public override string ToString() => Model.Stem + Format.Suffix();
}
