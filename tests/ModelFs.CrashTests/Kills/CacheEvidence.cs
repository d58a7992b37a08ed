namespace ModelFs.CrashTests.Kills;

/// <summary>What a daemon was doing, as its cache folder and its store show it from outside.</summary>
/// <param name="Dirty">Copies with a mark: changes that the store does not have, or is not known to have.</param>
/// <param name="Step">How far the publish that was furthest had come.</param>
internal sealed record CacheEvidence(int Dirty, string Step)
{
    /// <summary>Nothing is under way.</summary>
    public const string Idle = "idle";

    /// <summary>Marked, nothing more.</summary>
    public const string Changing = "changing or settling";

    /// <summary>The mark says that everything was synced; no pack file yet, or no more.</summary>
    public const string Synced = "synced";

    /// <summary>A pack file is being written.</summary>
    public const string Packing = "packing";

    /// <summary>The store has an unfinished object.</summary>
    public const string Uploading = "uploading";

    /// <summary>Reads the folders of a daemon that stands still.</summary>
    /// <param name="cache">Its cache folder.</param>
    /// <param name="storeFolder">Its store, when that is a folder.</param>
    public static CacheEvidence Of(string cache, string? storeFolder)
    {
        var marks = Files(Path.Combine(cache, "journal"));
        var packs = Files(Path.Combine(cache, "staging"));
        var isUploading = storeFolder is not null && Directory.EnumerateFiles(storeFolder, ".modelfs-*.partial").Any(file => new FileInfo(file).Length > 0);
        var step = marks.Count == 0 ? Idle
            : isUploading ? Uploading
            : packs.Count > 0 ? Packing
            : marks.Any(mark => File.ReadAllText(mark).Contains("\"synced\"", StringComparison.Ordinal)) ? Synced
            : Changing;
        return new CacheEvidence(marks.Count, step);
    }

    /// <summary>Changes that the store does not have, or work in the store that is not done; what is still being written under a temporary name is neither.</summary>
    /// <param name="cache">The cache folder of a daemon that may run.</param>
    public static bool IsDirty(string cache) =>
        Directory.EnumerateFiles(Path.Combine(cache, "journal")).Any(file => !file.EndsWith(".tmp", StringComparison.Ordinal));

    private static List<string> Files(string folder) => Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder)] : [];
}
