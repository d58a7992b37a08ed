using System.Collections.Concurrent;

namespace ModelFs.CrashTests.Kills;

/// <summary>What a run of kills has met, for its report and for the check that it met anything at all.</summary>
internal sealed class KillTally
{
    private readonly ConcurrentDictionary<string, int> _steps = new(StringComparer.Ordinal);
    private int _kills;
    private int _withKeeper;
    private int _dirty;
    private int _acknowledged;
    private int _compared;

    public int Kills => _kills;

    /// <summary>Kills while the store lacked something.</summary>
    public int WhileDirty => _dirty;

    /// <summary>Kills while something was on its way to the store.</summary>
    public int WhilePublishing => _steps.Where(step => step.Key is not (CacheEvidence.Idle or CacheEvidence.Changing)).Sum(step => step.Value);

    public void Note(CacheEvidence evidence, bool keeperToo)
    {
        Interlocked.Increment(ref _kills);
        if (keeperToo)
        {
            Interlocked.Increment(ref _withKeeper);
        }

        if (evidence.Dirty > 0)
        {
            Interlocked.Increment(ref _dirty);
        }

        _steps.AddOrUpdate(evidence.Step, 1, (_, count) => count + 1);
    }

    public void NoteAcknowledged(int operations) => Interlocked.Add(ref _acknowledged, operations);

    /// <summary>Entries of archives that were compared with the manifests.</summary>
    public void NoteCompared(int entries) => Interlocked.Add(ref _compared, entries);

    public override string ToString() =>
        $"kills {_kills} (keeper too: {_withKeeper}), while dirty {_dirty}, while publishing {WhilePublishing}; at "
        + string.Join(", ", _steps.OrderByDescending(step => step.Value).Select(step => $"{step.Key} {step.Value}"))
        + $"; acknowledged operations {_acknowledged}, entries compared in the store {_compared}";
}
