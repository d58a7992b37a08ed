using System.Globalization;

namespace ModelFs.FileSystem;

/// <summary>The process that closes a descriptor, as <c>/proc</c> shows it. What can't be seen is taken for an ordinary close of the last descriptor.</summary>
/// <remarks>
/// It waits inside of the kernel for this process meanwhile, so only files of <c>/proc</c> that need nothing from it are read. In the middle of an
/// execve it holds a lock that <c>stat</c>, and with it every <c>ps</c>, waits for.
/// </remarks>
/// <param name="id">The thread's id as this process sees it; 0 when it does not.</param>
internal readonly struct ClosingCaller(uint id)
{
    private const int AccessModes = 3;

    private string Folder => string.Create(CultureInfo.InvariantCulture, $"/proc/{id}");

    /// <summary>
    /// Whether the kernel closes the descriptor by itself, because the program ends or another one takes its place: nobody hears the result, and no
    /// signal could end the wait. A thread in either of the two has no command line.
    /// </summary>
    public bool HearsNothing()
    {
        try
        {
            return File.ReadAllBytes(Folder + "/cmdline").Length == 0;
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
