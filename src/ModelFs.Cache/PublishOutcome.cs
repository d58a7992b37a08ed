namespace ModelFs.Cache;

/// <summary>How one attempt to publish a model ended.</summary>
public enum PublishResult
{
    /// <summary>The store has the change.</summary>
    Published,

    /// <summary>The tree equals what the store has; nothing was sent.</summary>
    Unchanged,

    /// <summary>There is no regular file to publish.</summary>
    NothingToPublish,

    /// <summary>A program can still write to a file, or changed something meanwhile; to be tried again after settling.</summary>
    NotQuiet,

    /// <summary>The store holds a version that this one does not descend from; the local version was set aside and kept.</summary>
    Conflict,

    /// <summary>It failed and is tried again after a pause.</summary>
    Failed,
}

/// <summary>The outcome of one attempt, with the reason where there is one.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Error">For <see cref="PublishResult.NotQuiet"/>, <see cref="PublishResult.Conflict"/> and <see cref="PublishResult.Failed"/>.</param>
public sealed record PublishOutcome(PublishResult Result, ModelException? Error = null);
