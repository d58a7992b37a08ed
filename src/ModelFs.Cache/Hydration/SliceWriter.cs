using ModelFs.Archives.Indexed;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache.Hydration;

/// <summary>Writes verified content into the files of a copy.</summary>
internal static class SliceWriter
{
    private const uint WorkingMode = 0x180;
    private const int AllocateFromBytes = 1 << 20;

    /// <summary>Writes what a member holds and the copy lacks.</summary>
    /// <returns>Whether nothing of the copy is missing any more.</returns>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public static bool Write(ModelCopy copy, CopyHydration hydration, int member, IReadOnlyList<ContentSlice> slices)
    {
        var written = new List<(int Entry, int Slice)>(slices.Count);
        for (int i = 0, next; i < slices.Count; i = next)
        {
            var entry = slices[i].Entry;
            for (next = i + 1; next < slices.Count && slices[next].Entry == entry; next++)
            {
                // Blocks of one piece follow each other.
            }

            if (slices[i].Bytes.Length > 0 && hydration.Slices.At(entry, member) is var number && hydration.Needs(number))
            {
                Write(PathOf(copy, hydration, entry), [.. slices.Skip(i).Take(next - i).Select(slice => slice.Bytes)], slices[i].FileOffset);
                written.Add((entry, number));
            }
        }

        return hydration.NoteWritten(member, written, entry => Finish(PathOf(copy, hydration, entry), hydration, entry));
    }

    private static void Write(string path, IReadOnlyList<ReadOnlyMemory<byte>> bytes, long offset)
    {
        var error = PosixFile.Open(path, PosixFile.WriteOnly, 0, out var file);
        if (error == Errno.EACCES && PosixFile.SetMode(path, WorkingMode) == Errno.None)
        {
            // It had its mode already when the last daemon died, and was not noted as complete.
            error = PosixFile.Open(path, PosixFile.WriteOnly, 0, out file);
        }

        DurableFile.Check(error, "open", path);
        using (file)
        {
            var length = bytes.Sum(each => (long)each.Length);
            if (length >= AllocateFromBytes)
            {
                // One look for space instead of one for each block. Where the disk can't, or has no room, the write says so.
                _ = PosixFile.Allocate(file, mode: 0, offset, length);
            }

            DurableFile.Check(PosixFile.Write(file, bytes, offset), "write", path);
        }
    }

    /// <summary>Gives a complete file the mode and time of the index.</summary>
    private static void Finish(string path, CopyHydration hydration, int entry)
    {
        var file = hydration.Index.Entries[entry].Entry;
        DurableFile.Check(PosixFile.SetMode(path, (uint)file.Mode), "set the mode of", path);
        DurableFile.Check(PosixFile.SetTimes(path, PosixFile.TimeUnchanged, file.ModifiedTime), "set the time of", path);
    }

    private static string PathOf(ModelCopy copy, CopyHydration hydration, int entry) => copy.Content + "/" + hydration.Index.Entries[entry].Entry.Path;
}
