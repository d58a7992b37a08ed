using System.Security.Cryptography;
using System.Text;

namespace ModelFs.Cli.Mounting;

/// <summary>Where a store's models are kept when nobody says where.</summary>
internal static class CacheLocation
{
    /// <summary>
    /// A folder of the store's own, named by 16 hexadecimal digits of the SHA-256 of its display name: below <c>/var/cache/modelfs</c> for root,
    /// otherwise below <c>$XDG_CACHE_HOME/modelfs</c>, which defaults to <c>~/.cache/modelfs</c> (XDG Base Directory Specification).
    /// </summary>
    /// <exception cref="CommandException">Neither HOME nor XDG_CACHE_HOME is an absolute path.</exception>
    public static string Default(string storeDisplay, bool isRoot, Func<string, string?> variable)
    {
        var folder = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(storeDisplay)))[..16];
        if (isRoot)
        {
            return "/var/cache/modelfs/" + folder;
        }

        if (variable("XDG_CACHE_HOME") is { } cache && Path.IsPathRooted(cache))
        {
            return Path.Combine(cache, "modelfs", folder);
        }

        return variable("HOME") is { } home && Path.IsPathRooted(home)
            ? Path.Combine(home, ".cache", "modelfs", folder)
            : throw CommandException.Usage("there is no place for the cache: neither HOME nor XDG_CACHE_HOME is set; give one with --cache-dir DIR");
    }
}
