using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>The state machine of a model, as one table.</summary>
public static class ModelStates
{
    /// <summary>Whether a model can go from one state to the other.</summary>
    public static bool CanFollow(ModelState from, ModelState to) => (from, to) switch
    {
        // A fetch begins at the first access, or when the pause after a failure is over.
        (ModelState.Absent or ModelState.Failed, ModelState.Fetching) => true,
        (ModelState.Fetching, ModelState.Ready or ModelState.Failed) => true,

        // A new folder is dirty from its first moment; a copy from before a restart is found ready or dirty.
        (ModelState.Absent, ModelState.Dirty or ModelState.Ready) => true,
        (ModelState.Ready, ModelState.Dirty) => true,

        // A publish ends clean, dirty again by a change meanwhile, failed and to be repeated, or lost against the store.
        (ModelState.Dirty or ModelState.Failed, ModelState.Publishing) => true,
        (ModelState.Publishing, ModelState.Ready or ModelState.Dirty or ModelState.Failed or ModelState.Conflicted) => true,

        // A failed publish is still a change, and another change keeps it one; what was dirty can turn out equal to its base.
        (ModelState.Failed, ModelState.Dirty) => true,

        // The copy goes: evicted, replaced by a newer revision, discarded after its removal, or set aside after a conflict.
        (ModelState.Ready or ModelState.Dirty or ModelState.Failed or ModelState.Conflicted, ModelState.Absent) => true,
        _ => false,
    };
}
