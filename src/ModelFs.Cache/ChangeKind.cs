namespace ModelFs.Cache;

/// <summary>How a change touches a copy.</summary>
public enum ChangeKind
{
    /// <summary>It writes, creates, renames or sets attributes.</summary>
    Write,

    /// <summary>It only removes a name.</summary>
    Removal,
}
