using System.Text;

namespace ModelFs.Cli.Mounts;

/// <summary>One line of <c>/proc/self/mountinfo</c> (proc_pid_mountinfo(5)).</summary>
/// <param name="MountPoint">Where it is mounted, absolute.</param>
/// <param name="Type">The file system's type, with its subtype: <c>fuse.modelfs</c>.</param>
/// <param name="Source">What is mounted; the store's display name for a mount of ours.</param>
internal sealed record MountEntry(string MountPoint, string Type, string Source)
{
    /// <summary>The type that the keeper mounts with.</summary>
    public const string ModelFsType = "fuse.modelfs";

    /// <summary>Whether it is a mount of ModelFs.</summary>
    public bool IsModelFs => Type == ModelFsType;

    /// <summary>Parses a whole mountinfo file, in its order: of several mounts on one point the last is on top.</summary>
    public static IReadOnlyList<MountEntry> ParseAll(string mountInfo)
    {
        var entries = new List<MountEntry>();
        foreach (var line in mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Parse(line) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return entries;
    }

    /// <summary>Parses one line; null when it lacks a field.</summary>
    private static MountEntry? Parse(string line)
    {
        // 36 35 98:0 /root /mount/point rw,noatime shared:1 … - type source options: any number of optional fields ends with a lone dash.
        var fields = line.Split(' ');
        var dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
        return dash < 0 || dash + 2 >= fields.Length ? null : new MountEntry(Unescape(fields[4]), Unescape(fields[dash + 1]), Unescape(fields[dash + 2]));
    }

    /// <summary>Undoes the kernel's octal escapes of space, tab, newline, backslash and hash; the bytes between are UTF-8.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var bytes = new List<byte>(field.Length);
        var source = Encoding.UTF8.GetBytes(field);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == '\\' && i + 3 < source.Length && IsOctal(source[i + 1]) && IsOctal(source[i + 2]) && IsOctal(source[i + 3]))
            {
                bytes.Add((byte)(((source[i + 1] - '0') << 6) | ((source[i + 2] - '0') << 3) | (source[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(source[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static bool IsOctal(byte character) => character is >= (byte)'0' and <= (byte)'7';
}
