using System.Globalization;

namespace ModelFs.FileSystem;

/// <summary>The process that closes a descriptor, as <c>/proc</c> shows it. What can't be seen is taken for an ordinary close of the last descriptor.</summary>
/// <param name="id">The thread's id as this process sees it; 0 when it does not.</param>
internal readonly struct ClosingCaller(uint id)
{
    /// <summary>The kernel's flag of a thread that ends (PF_EXITING).</summary>
    private const uint Exiting = 4;

    private const int AccessModes = 3;
    private const int FieldFlags = 6;
    private const int FieldExitCode = 49;

    private string Folder => string.Create(CultureInfo.InvariantCulture, $"/proc/{id}");

    /// <summary>Whether it ends because of a signal: then it hears no error, and no further signal reaches it.</summary>
    public bool IsKilled()
    {
        try
        {
            var stat = File.ReadAllText(Folder + "/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (uint.Parse(fields[FieldFlags], CultureInfo.InvariantCulture) & Exiting) != 0
                && (int.Parse(fields[FieldExitCode], CultureInfo.InvariantCulture) & 0x7F) != 0;
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether it has the file open for writing through another descriptor; the one that is being closed is no longer among them.</summary>
    /// <param name="pathInMount">The file's path from the mount's root on, with a leading slash.</param>
    public bool HoldsAnotherWriter(string pathInMount)
    {
        try
        {
            foreach (var descriptor in Directory.EnumerateFiles(Folder + "/fd"))
            {
                if (new FileInfo(descriptor).LinkTarget is { } target
                    && target.EndsWith(pathInMount, StringComparison.Ordinal)
                    && IsWriter(Folder + "/fdinfo/" + Path.GetFileName(descriptor)))
                {
                    return true;
                }
            }
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
        {
            // Another user's process, or one that is gone.
        }

        return false;
    }

    private static bool IsWriter(string information)
    {
        const string label = "flags:";
        foreach (var line in File.ReadLines(information))
        {
            if (line.StartsWith(label, StringComparison.Ordinal))
            {
                return (Convert.ToInt32(line[label.Length..].Trim(), 8) & AccessModes) != 0;
            }
        }

        return false;
    }
}
