namespace ModelFs.Archives.Indexed;

/// <summary>Verified bytes of one file that stand in one member.</summary>
/// <param name="Entry">Index into <see cref="ArchiveIndex.Entries"/>.</param>
/// <param name="FileOffset">Where they belong in the file.</param>
/// <param name="Bytes">The bytes; empty for an empty file, which is reported by the member that holds its headers.</param>
public readonly record struct ContentSlice(int Entry, long FileOffset, ReadOnlyMemory<byte> Bytes);
