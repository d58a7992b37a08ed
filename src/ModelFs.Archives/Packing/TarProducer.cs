using System.Buffers;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>
/// Makes the bytes of a tar from a folder, block by block: headers, files read as they are needed, the end mark, and zeros up to a full record.
/// Every file must be what its entry says, in size and, where the entry has it, in content.
/// </summary>
internal sealed class TarProducer(string folder, IReadOnlyList<TreeEntry> entries, PackOptions options) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _pending = new();
    private int _pendingOffset;
    private int _next;
    private SourceFile? _file;
    private long _total;
    private bool _ended;

    /// <summary>The entries as packed, with the digests of what was read; complete when <see cref="Fill"/> has come to its end.</summary>
    public List<TreeEntry> Packed { get; } = new(entries.Count);

    /// <summary>Fills <paramref name="block"/>; fewer bytes only at the end.</summary>
    /// <exception cref="PackException">A file is not what its entry says.</exception>
    public int Fill(Span<byte> block)
    {
        var filled = 0;
        while (filled < block.Length)
        {
            var made = TakePending(block[filled..]);
            if (made == 0 && _file is not null)
            {
                made = ReadFile(block[filled..]);
            }
            else if (made == 0 && !BeginNext())
            {
                break;
            }

            filled += made;
            _total += made;
        }

        return filled;
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private int TakePending(Span<byte> room)
    {
        var bytes = _pending.WrittenSpan[_pendingOffset..];
        if (bytes.Length > room.Length)
        {
            bytes = bytes[..room.Length];
        }

        bytes.CopyTo(room);
        _pendingOffset += bytes.Length;
        if (_pendingOffset == _pending.WrittenCount)
        {
            _pending.ResetWrittenCount();
            _pendingOffset = 0;
        }

        return bytes.Length;
    }

    /// <summary>Puts the next member's headers, or the end of the tar, into <see cref="_pending"/>; false when all was made.</summary>
    private bool BeginNext()
    {
        if (_next == entries.Count)
        {
            if (_ended)
            {
                return false;
            }

            _ended = true;
            var length = TarEnd.LengthAfter(_total);
            _pending.GetSpan(length)[..length].Clear();
            _pending.Advance(length);
            return true;
        }

        var entry = entries[_next++];
        if (MemberNames.For(entry, options) is { } name)
        {
            TarHeaderWriter.Write(name, entry, _pending);
        }

        if (entry.Type == TreeEntryType.File)
        {
            OpenFile(entry);
        }
        else
        {
            Packed.Add(entry);
        }

        return true;
    }

    private void OpenFile(TreeEntry entry)
    {
        _file = new SourceFile(folder, entry);
        if (entry.Size == 0)
        {
            EndFile();
        }
    }

    private int ReadFile(Span<byte> room)
    {
        var read = _file!.Read(room);
        if (_file.Left == 0)
        {
            EndFile();
        }

        return read;
    }

    private void EndFile()
    {
        var packed = _file!.Finish();
        _file.Dispose();
        _file = null;
        Packed.Add(packed);
        _pending.Write(TarHeaderWriter.Padding(packed.Size));
    }
}
