using System.Text.Json.Serialization;
using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>What is known of one local copy of a model; <c>manifest.json</c> beside its content (FORMATS, "Cache").</summary>
/// <param name="Version">Of this format; 1.</param>
/// <param name="Key">The store's key that the copy belongs to.</param>
/// <param name="BaseRevision">The store's revision that the content descends from; null for a model that was never published.</param>
/// <param name="BaseLength">Of that revision's archive, in bytes.</param>
/// <param name="BaseModified">That revision's time in the store.</param>
/// <param name="BaseDigest">Digest of the tree at that revision, 32 hexadecimal digits; null for a model that was never published.</param>
/// <param name="Layout">How member names of the archive are written.</param>
/// <param name="ContentBytes">Sum of the files' sizes when the copy was last equal to its base.</param>
/// <param name="Files">Number of files then.</param>
/// <param name="BootId">Boot of the machine in which the content was written; null once all of it was synced to the disk.</param>
/// <param name="ConflictName">For a version that lost against the store: the name under which it is kept and shown; otherwise null.</param>
public sealed record CopyManifest(
    int Version,
    string Key,
    string? BaseRevision,
    long BaseLength,
    DateTimeOffset BaseModified,
    string? BaseDigest,
    ArchiveLayout Layout,
    long ContentBytes,
    int Files,
    string? BootId,
    string? ConflictName = null)
{
    /// <summary>The version that this program writes, and the newest that it reads.</summary>
    public const int CurrentVersion = 1;
}

/// <summary>One file of a copy's base tree with what lstat said of it when it was known to be equal.</summary>
/// <param name="Path">As in <see cref="TreeEntry.Path"/>.</param>
/// <param name="Digest">Of its content.</param>
/// <param name="Inode">On the cache's file system.</param>
/// <param name="Size">In bytes.</param>
/// <param name="ChangeSeconds">Seconds of its ctime.</param>
/// <param name="ChangeNanoseconds">Nanoseconds of its ctime; 4294967295 when it was too fresh to tell a later change, so that the file is read again.</param>
public sealed record BaseFile(string Path, string Digest, ulong Inode, long Size, long ChangeSeconds, uint ChangeNanoseconds);

/// <summary>The base tree of a copy, <c>base.json</c>.</summary>
/// <param name="Version">Of this format; 1.</param>
/// <param name="Files">Regular files only.</param>
public sealed record BaseTree(int Version, IReadOnlyList<BaseFile> Files);

/// <summary>One dirty mark of the journal.</summary>
/// <param name="Version">Of this format; 1.</param>
/// <param name="CopyId">The copy that it marks.</param>
/// <param name="Key">The key that the copy is published under.</param>
/// <param name="State"><c>dirty</c>: content may be changing; <c>synced</c>: all content was synced to disk after the last change.</param>
/// <param name="Since">When the model became dirty.</param>
/// <param name="BootId">Boot of the machine in which the mark was last written.</param>
/// <param name="Sent">Archives of this copy that may have reached the store without an answer; null when there are none.</param>
public sealed record JournalMark(
    int Version, long CopyId, string Key, string State, DateTimeOffset Since, string BootId, IReadOnlyList<SentArchive>? Sent = null);

/// <summary>One archive that was about to be uploaded: what makes it known again in the store when the answer to the upload was lost.</summary>
/// <param name="Key">Where it went.</param>
/// <param name="BaseRevision">The revision that it was to replace; null for a new key. A note for another base than the copy's is void.</param>
/// <param name="Length">Of the archive, in bytes.</param>
/// <param name="ArchiveDigest">XXH3-128 of the archive's bytes, 32 hexadecimal digits; of an indexed one <c>index:</c> and that of its index.</param>
/// <param name="TreeDigest">Digest of the tree in it.</param>
public sealed record SentArchive(string Key, string? BaseRevision, long Length, string ArchiveDigest, string TreeDigest);

/// <summary>Source-generated JSON of the cache's own files.</summary>
[JsonSourceGenerationOptions(WriteIndented = false, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CopyManifest))]
[JsonSerializable(typeof(BaseTree))]
[JsonSerializable(typeof(JournalMark))]
[JsonSerializable(typeof(PinnedModels))]
[JsonSerializable(typeof(ModelIntent))]
internal sealed partial class CacheJson : JsonSerializerContext;
