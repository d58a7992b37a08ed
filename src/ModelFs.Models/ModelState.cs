namespace ModelFs.Models;

/// <summary>Where a model stands between the store and this machine.</summary>
public enum ModelState
{
    /// <summary>Known from the store's listing; nothing of it is here.</summary>
    Absent,

    /// <summary>Being downloaded, unpacked and verified.</summary>
    Fetching,

    /// <summary>Here, complete, and equal to the store's revision that it was fetched from or published as.</summary>
    Ready,

    /// <summary>Here, with changes that the store does not have.</summary>
    Dirty,

    /// <summary>Being packed or uploaded.</summary>
    Publishing,

    /// <summary>The last fetch or publish failed; it is tried again after a pause.</summary>
    Failed,

    /// <summary>Changed here and in the store; both versions are kept.</summary>
    Conflicted,
}
