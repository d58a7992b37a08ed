using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Status;

/// <summary>What a mount that shows no status means to the user.</summary>
internal static class StatusFailures
{
    /// <summary>What happened, and what to do.</summary>
    public static string Explain(string mountPoint, StatusFailure failure) => failure switch
    {
        StatusFailure.Dead => $"{mountPoint}: nothing serves this mount any more; `modelfs unmount {mountPoint}` removes it, and the next mount sends what was not published",
        StatusFailure.Denied => $"{mountPoint}: this mount belongs to another user; ask as that user, or mount it with --allow-other",
        StatusFailure.Silent => $"{mountPoint}: the daemon gave no answer within 5 s; its log says what it does, and `modelfs unmount --lazy {mountPoint}` takes it away",
        StatusFailure.Unreadable => $"{mountPoint}: the mount shows no status that this program can read; is it served by another version of modelfs?",
    };
}
