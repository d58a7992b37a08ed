namespace ModelFs.Cli.Options;

/// <summary>The text behind <c>-o</c>, as mount(8) and fstab(5) write it: names and values separated by commas.</summary>
internal static class FstabOptions
{
    /// <summary>What mount(8) and its helpers add for everybody: it says who mounts and when, or what holds for a ModelFs mount anyway.</summary>
    private static readonly HashSet<string> s_ignored = new(StringComparer.Ordinal)
    {
        "rw", "defaults", "_netdev", "auto", "noauto", "nofail", "user", "nouser", "users", "owner", "group",
        "dev", "nodev", "suid", "nosuid", "exec", "async", "atime", "relatime", "noatime", "comment",
    };

    /// <summary>Splits the text and finds each name's row; generic options of mount(8) are left out.</summary>
    /// <exception cref="CommandException">A name is unknown (the message lists the known ones), or lacks its value.</exception>
    public static IEnumerable<(MountOption Option, string Value)> Parse(string text)
    {
        foreach (var item in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = item.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? item : item[..equals];
            if ((equals < 0 || name == "comment") && s_ignored.Contains(name) || name.StartsWith("x-", StringComparison.Ordinal))
            {
                continue;
            }

            var option = MountOptionTable.All.FirstOrDefault(o => o.IsNamed(name))
                ?? throw CommandException.Usage($"-o {name}: there is no such option; known are {string.Join(", ", MountOptionTable.All.Select(o => o.FstabName))}");
            if (equals < 0 && !option.IsSwitch)
            {
                throw CommandException.Usage($"-o {name} needs a value: -o {option.FstabName}={option.ValueName}");
            }

            yield return (option, equals < 0 ? "true" : item[(equals + 1)..]);
        }
    }
}
