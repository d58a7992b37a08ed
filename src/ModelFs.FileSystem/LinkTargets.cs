namespace ModelFs.FileSystem;

/// <summary>Which symbolic links a model can hold: relative ones whose target, taken literally, lies inside of the model.</summary>
internal static class LinkTargets
{
    /// <summary>Whether a link at <paramref name="path"/> (relative to the model) with this target stays inside.</summary>
    public static bool StaysInside(string path, string target)
    {
        if (target.Length == 0 || target[0] == '/')
        {
            return false;
        }

        var depth = path.Count(each => each == '/');
        foreach (var part in target.Split('/'))
        {
            depth += part switch
            {
                "" or "." => 0,
                ".." => -1,
                _ => 1,
            };
            if (depth < 0)
            {
                return false;
            }
        }

        return true;
    }
}
