namespace ModelFs.Fuse;

/// <summary>Takes the entries of one READDIR reply.</summary>
public sealed class FuseDirectoryBuffer
{
    private DirectoryRecords records;

    /// <summary>A buffer over memory of the caller's; the session makes its own, this one is for driving operations without a kernel.</summary>
    /// <param name="memory">Where the records are written.</param>
    public FuseDirectoryBuffer(Memory<byte> memory) => records = new DirectoryRecords(memory);

    /// <summary>How many bytes of records there are.</summary>
    public int Length => records.Length;

    /// <summary>Adds an entry.</summary>
    /// <param name="name">The name, without a slash or NUL.</param>
    /// <param name="inode">The inode number that <c>readdir</c> shows; not 0.</param>
    /// <param name="mode">The file type bits (S_IFMT) of the entry; other bits are ignored.</param>
    /// <param name="nextOffset">
    /// What the kernel passes as the offset to go on after this entry; above 0, and any number that the operation can find its place by.
    /// </param>
    /// <returns>False when the buffer is full: answer with what is there, the kernel comes back with the last entry's offset.</returns>
    public bool TryAdd(string name, ulong inode, uint mode, long nextOffset) => records.TryAdd(0, name, inode, mode, nextOffset, out _);
}
