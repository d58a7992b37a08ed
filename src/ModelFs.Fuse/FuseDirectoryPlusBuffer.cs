using System.Buffers.Binary;

namespace ModelFs.Fuse;

/// <summary>Takes the entries of one READDIRPLUS reply.</summary>
public sealed class FuseDirectoryPlusBuffer
{
    private readonly Memory<byte> memory;
    private DirectoryRecords records;

    /// <summary>A buffer over memory of the caller's; the session makes its own, this one is for driving operations without a kernel.</summary>
    /// <param name="memory">Where the records are written.</param>
    public FuseDirectoryPlusBuffer(Memory<byte> memory)
    {
        this.memory = memory;
        records = new DirectoryRecords(memory);
    }

    /// <summary>How many bytes of records there are.</summary>
    public int Length => records.Length;

    /// <summary>
    /// Adds an entry with its attributes. It counts as one look-up of <see cref="FuseEntry.NodeId"/> once the operation has answered
    /// successfully, except for <c>.</c> and <c>..</c>, which never count. An operation that answers with an error has given no look-ups;
    /// those of a reply that can't be delivered are taken back by the session through <see cref="IFuseOperations.Forget"/>.
    /// </summary>
    /// <param name="name">The name, without a slash or NUL.</param>
    /// <param name="entry">The entry. With a node id of 0 only its inode number and mode are used, and nothing is counted.</param>
    /// <param name="nextOffset">What the kernel passes as the offset to go on after this entry; above 0.</param>
    /// <returns>False when the buffer is full and the entry was not added (and does not count).</returns>
    public bool TryAdd(string name, in FuseEntry entry, long nextOffset)
    {
        bool added = records.TryAdd(FuseWire.EntrySize, name, entry.Attributes.Inode, entry.Attributes.Mode, nextOffset, out Span<byte> prefix);
        if (added)
        {
            FuseWire.WriteEntry(prefix, entry);
        }

        return added;
    }

    /// <summary>Adds an entry without attributes, which counts as no look-up: the kernel asks for it when it needs it.</summary>
    /// <param name="name">The name, without a slash or NUL.</param>
    /// <param name="inode">The inode number that <c>readdir</c> shows; not 0.</param>
    /// <param name="mode">The file type bits (S_IFMT) of the entry; other bits are ignored.</param>
    /// <param name="nextOffset">What the kernel passes as the offset to go on after this entry; above 0.</param>
    /// <returns>False when the buffer is full and the entry was not added.</returns>
    public bool TryAdd(string name, ulong inode, uint mode, long nextOffset) =>
        records.TryAdd(FuseWire.EntrySize, name, inode, mode, nextOffset, out _);

    /// <summary>Takes back every look-up that the records would have given, because they did not reach the kernel.</summary>
    internal void ForgetAll(IFuseOperations operations)
    {
        ReadOnlySpan<byte> rest = memory.Span[..Length];
        while (!rest.IsEmpty)
        {
            ulong nodeId = BinaryPrimitives.ReadUInt64LittleEndian(rest);
            int nameLength = BinaryPrimitives.ReadInt32LittleEndian(rest[(FuseWire.EntrySize + 16)..]);
            ReadOnlySpan<byte> name = rest.Slice(FuseWire.EntrySize + FuseWire.DirectoryEntryHeaderSize, nameLength);
            if (nodeId != 0 && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                operations.Forget(nodeId, 1);
            }

            rest = rest[FuseWire.Align8(FuseWire.EntrySize + FuseWire.DirectoryEntryHeaderSize + nameLength)..];
        }
    }
}
