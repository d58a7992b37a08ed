namespace ModelFs.Cli.Mounting;

/// <summary>A user and a group by number.</summary>
/// <param name="Uid">The user.</param>
/// <param name="Gid">The group.</param>
internal readonly record struct Owner(uint Uid, uint Gid);

/// <summary>Who runs the command, and from where.</summary>
/// <param name="Owner">The effective user and group.</param>
/// <param name="WorkingDirectory">What relative paths start from; absolute.</param>
/// <param name="FindUser">Looks a user name up; null when there is none of it.</param>
internal sealed record Caller(Owner Owner, string WorkingDirectory, Func<string, Owner?> FindUser)
{
    /// <summary>Whether the user is root.</summary>
    public bool IsRoot => Owner.Uid == 0;

    /// <summary><paramref name="path"/> without <c>.</c> and <c>..</c>, from the root; symbolic links stay.</summary>
    public string Absolute(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, WorkingDirectory));

    /// <summary>Parses <c>NAME</c> or <c>UID:GID</c>.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public Owner ParseUser(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            return new Owner(Options.OptionText.Id(text[..colon]), Options.OptionText.Id(text[(colon + 1)..]));
        }

        return FindUser(text) ?? throw new FormatException($"there is no user '{text}' on this machine; write a name that `getent passwd` lists, or UID:GID");
    }
}
