using ModelFs.Cli.Options;

namespace ModelFs.Cli.Mounting;

/// <summary>What the options ask for, before defaults that depend on the store or the user are filled in.</summary>
/// <param name="Caller">Who mounts.</param>
internal sealed record MountRequest(Caller Caller)
{
    /// <summary>The part that goes to the daemon as it is.</summary>
    public MountSettings Settings { get; init; } = new();

    /// <summary>A file whose first line is the store's address, or null.</summary>
    public string? StoreFile { get; init; }

    /// <summary>The kind of store that a Rasa NLU server's settings describe, or null.</summary>
    public string? Storage { get; init; }

    /// <summary>A Rasa NLU server's configuration file, or null.</summary>
    public string? RasaConfig { get; init; }

    /// <summary>The cache directory asked for, or null for the store's own.</summary>
    public string? CacheDirectory { get; init; }

    /// <summary>The log file asked for, or null for the one in the cache directory.</summary>
    public string? LogFile { get; init; }

    /// <summary>Whom the daemon runs as, or null for the caller.</summary>
    public Owner? User { get; init; }

    /// <summary>The owner asked for, or null.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group asked for, or null.</summary>
    public uint? Gid { get; init; }

    /// <summary>Applies options from all their sources; a flag wins over <c>-o</c>, and that over the environment.</summary>
    /// <param name="caller">Who mounts.</param>
    /// <param name="flag">The text given on the command line to an option, or null; "true" or null for a switch.</param>
    /// <param name="fstabTexts">Each text given to <c>-o</c>, in order; later ones win.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <exception cref="CommandException">A value can't be read; the message starts with where it was given.</exception>
    public static MountRequest From(Caller caller, Func<MountOption, string?> flag, IEnumerable<string> fstabTexts, Func<string, string?> variable)
    {
        var fstab = new Dictionary<MountOption, string>();
        foreach (var (option, value) in fstabTexts.SelectMany(FstabOptions.Parse))
        {
            fstab[option] = value;
        }

        var request = new MountRequest(caller);
        foreach (var option in MountOptionTable.All)
        {
            var (source, value) = flag(option) is { } flagged ? (option.Flag, flagged)
                : fstab.TryGetValue(option, out var listed) ? ("-o " + option.FstabName, listed)
                : (option.Variable, variable(option.Variable) is { Length: > 0 } set ? set : null);
            if (value is null)
            {
                continue;
            }

            try
            {
                request = option.Apply(request, value);
            }
            catch (FormatException exception)
            {
                throw CommandException.Usage($"{source}: {exception.Message}");
            }
        }

        return request;
    }
}
