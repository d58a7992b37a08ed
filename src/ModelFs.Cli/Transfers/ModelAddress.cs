using ModelFs.Models;

namespace ModelFs.Cli.Transfers;

/// <summary>What <c>STORE/NAME</c> can mean: a text that names a store, and perhaps a model in it.</summary>
/// <param name="Store">The store's address, if the whole text is one.</param>
/// <param name="Parent">The store's address when the part behind the last slash is the model; null when that part is the bucket or the database.</param>
/// <param name="Last">The part behind the last slash; null with <paramref name="Parent"/>.</param>
/// <param name="IsStore">Whether a slash at its end says that the whole text is a store.</param>
internal sealed record ModelAddress(string Store, string? Parent, string? Last, bool IsStore)
{
    private const string Separator = "://";

    /// <summary>Takes a text apart; nothing is looked up. Options of an address (<c>?…</c>) stay with the store.</summary>
    public static ModelAddress Parse(string text)
    {
        var separator = text.IndexOf(Separator, StringComparison.Ordinal);
        var mark = separator < 0 ? -1 : text.IndexOf('?', StringComparison.Ordinal);
        var (path, options) = mark < 0 ? (text, "") : (text[..mark], text[mark..]);
        var trimmed = path.Length > 1 ? path.TrimEnd('/') : path;
        var isStore = trimmed.Length < path.Length;
        var start = separator < 0 ? 0 : separator + Separator.Length;
        var scheme = separator < 0 ? "" : text[..separator].ToLowerInvariant();

        // The first part is the bucket, in MongoDB host and database.
        var host = trimmed.IndexOf('/', Math.Min(start, trimmed.Length));
        var first = scheme switch
        {
            "" or "file" => start,
            "mongodb" or "mongodb+srv" => host < 0 ? trimmed.Length : host + 1,
            _ => start,
        };
        var slash = trimmed.LastIndexOf('/');
        if (slash < first || slash == trimmed.Length - 1)
        {
            return scheme.Length == 0 && slash < 0 && trimmed is not ("." or "..")
                ? new ModelAddress(trimmed, ".", trimmed, isStore)
                : new ModelAddress(trimmed + options, null, null, isStore);
        }

        var last = trimmed[(slash + 1)..];
        var parent = slash == 0 ? "/" : trimmed[..slash];
        return scheme.Length == 0 && last is "." or ".."
            ? new ModelAddress(trimmed, null, null, isStore)
            : new ModelAddress(trimmed + options, parent + options, scheme == "file" ? Uri.UnescapeDataString(last) : last, isStore);
    }

    /// <summary>The model that a text in an address or an option means: <c>NAME</c>, <c>PROJECT___NAME</c>, <c>PROJECT/NAME</c>, or the key of an archive.</summary>
    /// <exception cref="CommandException">It can't be the name of a model.</exception>
    public static ModelName NameOf(string text)
    {
        if (ModelName.TryParseStem(text, out var name) || ModelName.TryParsePath(text, out name))
        {
            return name;
        }

        throw CommandException.Usage($"'{text}' can't be the name of a model: it is NAME or PROJECT/NAME, without a leading dot and at most 255 bytes long");
    }
}
