using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ModelFs.Stores;

/// <summary>
/// The address of a store as a user wrote it: <c>file:///dir</c>, a plain path, or <c>SCHEME://PLACE?option=value&amp;…</c>.
/// </summary>
/// <remarks>
/// A plain path is a folder, has no options and may hold any character. In a URL, option values and the path of <c>file://</c> are
/// percent-decoded; buckets and prefixes are taken as they stand, as other S3 tools do.
/// </remarks>
public sealed class StoreUrl
{
    private const string Separator = "://";
    private static readonly string[] SecretWords = ["password", "secret", "token", "signature", "credential", "access-key"];

    private StoreUrl(string scheme, string place, string text, IReadOnlyDictionary<string, string> options)
    {
        Scheme = scheme;
        Place = place;
        Text = text;
        Options = options;
    }

    /// <summary>In lower case: <c>file</c>, <c>s3</c>, ….</summary>
    public string Scheme { get; }

    /// <summary>What stands between <c>://</c> and <c>?</c>: an absolute path for <c>file</c>, bucket and prefix for <c>s3</c>.</summary>
    public string Place { get; }

    /// <summary>As it was given; may hold a secret, so it is never logged or shown.</summary>
    public string Text { get; }

    /// <summary>What stands after <c>?</c>, decoded, by name in lower case.</summary>
    public IReadOnlyDictionary<string, string> Options { get; }

    /// <summary>The same address with every secret replaced by <c>***</c>.</summary>
    public string Redacted
    {
        get
        {
            var text = new StringBuilder(Scheme).Append(Separator).Append(HideUser(Scheme, Place));
            var mark = '?';
            foreach (var (name, value) in Options)
            {
                var isSecret = Array.Exists(SecretWords, word => name.Contains(word, StringComparison.Ordinal));
                text.Append(mark).Append(name).Append('=').Append(isSecret ? "***" : HideUserOfUrl(value));
                mark = '&';
            }

            return text.ToString();
        }
    }

    /// <summary>Parses an address.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/>, with a message that shows how it is written.</exception>
    public static StoreUrl Parse(string text) =>
        TryParse(text, out var url, out var problem) ? url : throw new StoreException(StoreErrorKind.Misconfigured, problem);

    /// <summary>Parses an address; relative paths start at the current folder.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="url">The address.</param>
    /// <param name="problem">What is wrong with it and how it is written, without secrets.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out StoreUrl? url, [NotNullWhen(false)] out string? problem)
    {
        url = null;
        problem = null;
        if (string.IsNullOrWhiteSpace(text))
        {
            problem = "the store is empty: name a folder (/srv/models), or a bucket (s3://bucket/prefix)";
        }
        else if (text.Contains('\0', StringComparison.Ordinal))
        {
            problem = "the store's address holds a NUL character";
        }
        else
        {
            var at = text.IndexOf(Separator, StringComparison.Ordinal);
            var isUrl = at > 0 && IsScheme(text.AsSpan(0, at));
            if (!isUrl && LooksLikeBrokenUrl(text))
            {
                problem = $"'{text}' is neither a path nor a URL: a URL needs two slashes after the colon, for example s3://bucket/prefix; for a folder of that name write ./{text}";
            }
            else
            {
                url = isUrl ? ParseUrl(text[..at].ToLowerInvariant(), text[(at + Separator.Length)..], text, out problem) : OfFolder(text);
            }
        }

        return url is not null;
    }

    /// <summary>The address of a folder.</summary>
    /// <param name="path">Relative paths start at the current folder.</param>
    public static StoreUrl OfFolder(string path) => new("file", Path.GetFullPath(path), path, new Dictionary<string, string>());

    /// <summary>Refuses options that a store does not know, naming those it knows: a misspelt option is never ignored.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/>.</exception>
    public void RequireOptionsAmong(params ReadOnlySpan<string> known)
    {
        foreach (var name in Options.Keys)
        {
            if (!known.Contains(name))
            {
                var choice = known.IsEmpty ? "it takes none" : $"it takes {string.Join(", ", known.ToArray())}";
                throw new StoreException(StoreErrorKind.Misconfigured, $"a {Scheme}:// store has no option '{name}': {choice}");
            }
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Redacted;

    private static StoreUrl? ParseUrl(string scheme, string rest, string text, out string? problem)
    {
        var mark = rest.IndexOf('?', StringComparison.Ordinal);
        var place = mark < 0 ? rest : rest[..mark];
        var options = mark < 0 ? new Dictionary<string, string>() : ParseOptions(rest[(mark + 1)..]);
        if (options is null)
        {
            problem = $"the options of the {scheme}:// store are not written as ?name=value&name=value, each name once";
            return null;
        }

        if (scheme == "file")
        {
            if (!place.StartsWith('/'))
            {
                problem = $"file://{place}: a file URL names this machine's absolute path with three slashes, file:///srv/models; a relative path is written without file://";
                return null;
            }

            place = Path.GetFullPath(Uri.UnescapeDataString(place));
        }

        problem = place.Length == 0 ? $"{scheme}:// names no place: write for example {scheme}://bucket/prefix" : null;
        return problem is null ? new StoreUrl(scheme, place, text, options) : null;
    }

    private static Dictionary<string, string>? ParseOptions(string query)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !options.TryAdd(pair[..equals].ToLowerInvariant(), Uri.UnescapeDataString(pair[(equals + 1)..])))
            {
                return null;
            }
        }

        return options;
    }

    private static bool IsScheme(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
            {
                return false;
            }
        }

        return char.IsAsciiLetter(text[0]);
    }

    private static bool LooksLikeBrokenUrl(string text)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["s3:", "gs:", "file:", "mongodb:"])
        {
            if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Replaces what stands before the host. Where prefixes may hold an <c>@</c> only the first part is looked at; elsewhere all, because passwords may hold a slash.</summary>
    private static string HideUser(string scheme, string place)
    {
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        var end = scheme is "file" or "s3" or "gs" && slash >= 0 ? slash : place.Length;
        var at = place.LastIndexOf('@', end - 1);
        return at < 0 ? place : "***" + place[at..];
    }

    private static string HideUserOfUrl(string value)
    {
        var at = value.IndexOf(Separator, StringComparison.Ordinal);
        return at < 0 ? value : value[..(at + Separator.Length)] + HideUser("", value[(at + Separator.Length)..]);
    }
}
