using System.Globalization;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Names of versions that are kept beside their model: <c>NAME@HOST-TIME</c>.</summary>
internal static class ConflictNames
{
    /// <summary>The name of a version of a model that is set aside now.</summary>
    public static string For(ModelName model, DateTimeOffset now) => $"{model.Stem}@{Suffix(now)}";

    /// <summary>The host and the time, to the millisecond.</summary>
    private static string Suffix(DateTimeOffset now) =>
        string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName.Replace('/', '-')}-{now:yyyyMMdd'T'HHmmss.fff'Z'}");
}
