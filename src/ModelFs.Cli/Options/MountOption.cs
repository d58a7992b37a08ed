using ModelFs.Cli.Mounting;

namespace ModelFs.Cli.Options;

/// <summary>One setting of a mount. The flag, the name in <c>-o</c>, the environment variable and the help text all derive from this row.</summary>
/// <param name="Name">In kebab case, without dashes in front: <c>cache-size</c>.</param>
/// <param name="ValueName">What <c>--help</c> calls the value; null for a switch.</param>
/// <param name="Description">One sentence, with the default.</param>
/// <param name="Apply">Puts a value's text into the request; throws <see cref="FormatException"/> when it can't be read.</param>
internal sealed record MountOption(string Name, string? ValueName, string Description, Func<MountRequest, string, MountRequest> Apply)
{
    /// <summary>A second name in <c>-o</c> that mount(8) has for it, or null.</summary>
    public string? FstabAlias { get; init; }

    /// <summary>Whether it takes no value on the command line.</summary>
    public bool IsSwitch => ValueName is null;

    /// <summary>On the command line: <c>--cache-size</c>.</summary>
    public string Flag => "--" + Name;

    /// <summary>In <c>-o</c> and fstab: <c>cache_size</c>.</summary>
    public string FstabName => FstabAlias ?? Name.Replace('-', '_');

    /// <summary>In the environment: <c>MODELFS_CACHE_SIZE</c>.</summary>
    public string Variable => "MODELFS_" + Name.Replace('-', '_').ToUpperInvariant();

    /// <summary>Whether <paramref name="name"/>, written in <c>-o</c>, means this option.</summary>
    public bool IsNamed(string name) => name == FstabAlias || name.Replace('_', '-') == Name;
}
