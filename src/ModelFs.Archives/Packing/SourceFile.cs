using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>One file of a model folder while it is packed. It must be what its entry says, in size and, where the entry has it, in content.</summary>
internal sealed class SourceFile : IDisposable
{
    private readonly TreeEntry _entry;
    private readonly SafeFileHandle _file;
    private readonly XxHash128 _hash = new();
    private long _offset;

    /// <exception cref="PackException">It can't be opened.</exception>
    public SourceFile(string folder, TreeEntry entry)
    {
        _entry = entry;
        _file = Open(folder, entry.Path);
    }

    /// <exception cref="PackException">It can't be opened.</exception>
    public static SafeFileHandle Open(string folder, string path)
    {
        try
        {
            return InteropFiles.OpenFile(folder + "/" + path);
        }
        catch (IOException error)
        {
            throw new PackException(path, $"'{path}' can't be opened: {error.Message}", error);
        }
    }

    /// <summary>Bytes that were not read yet.</summary>
    public long Left => _entry.Size - _offset;

    /// <summary>Reads the next bytes, some or all that there is room for.</summary>
    /// <exception cref="PackException">The file has become shorter.</exception>
    public int Read(Span<byte> room)
    {
        var part = room.Length > Left ? room[..(int)Left] : room;
        var read = RandomAccess.Read(_file, part, _offset);
        if (read == 0)
        {
            throw new PackException(_entry.Path, $"'{_entry.Path}' became shorter while it was packed: {_offset} instead of {_entry.Size} bytes");
        }

        _hash.Append(part[..read]);
        _offset += read;
        return read;
    }

    /// <summary>Reads until <paramref name="room"/> is full.</summary>
    /// <exception cref="PackException">The file has become shorter.</exception>
    public void ReadFully(Span<byte> room)
    {
        while (!room.IsEmpty)
        {
            room = room[Read(room)..];
        }
    }

    /// <summary>Called when all was read.</summary>
    /// <returns>The entry with the digest of what was read.</returns>
    /// <exception cref="PackException">The file has become longer, or its content is not the one that was listed.</exception>
    public TreeEntry Finish()
    {
        Span<byte> more = stackalloc byte[1];
        if (RandomAccess.Read(_file, more, _offset) > 0)
        {
            throw new PackException(_entry.Path, $"'{_entry.Path}' became longer than {_entry.Size} bytes while it was packed");
        }

        var digest = ContentDigest.From(_hash.GetCurrentHashAsUInt128());
        return _entry.Digest is not { } expected || expected == digest
            ? _entry with { Digest = digest }
            : throw new PackException(_entry.Path, $"the content of '{_entry.Path}' changed while it was packed");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
