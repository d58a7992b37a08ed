using System.IO.Hashing;
using System.Text;

namespace ModelFs.FileSystem;

/// <summary>
/// st_ino of what has no inode on the cache's disk: derived from the name, so that a listing and a later look-up agree, with the second
/// highest bit set, which no disk's inode number reaches.
/// </summary>
internal static class InodeNumbers
{
    private const ulong Mark = 1UL << 62;

    /// <summary>The number of a model's folder in its incarnation, a project, a control file, or a version kept after a conflict (by its copy's id).</summary>
    public static ulong Of(InodeKind kind, string name, long incarnation) =>
        Mark | (XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{(byte)kind}:{name}:{incarnation}")) >> 2);
}
