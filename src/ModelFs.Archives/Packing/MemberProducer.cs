using System.Buffers;
using System.IO.Hashing;
using ModelFs.Archives.Indexed;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>
/// Reads a model folder into members: members of its own for each larger file, small files together. It runs on one thread; what it makes comes out in the order of the
/// archive.
/// </summary>
internal sealed class MemberProducer(string folder, PackOptions options, Func<MemberDraft> takeDraft, Action<PackStep> emit)
{
    /// <summary>Files above this size have members of their own.</summary>
    public const int OwnMemberBytes = 256 << 10;

    /// <summary>Small files are packed together up to this size; so much is fetched at least when one of them is read.</summary>
    public const int GroupBytes = 512 << 10;

    /// <summary>Where members of the base have to be fetched, fewer bytes of the tar than this are compressed again in the time of the request.</summary>
    public const int ReadBytesMin = 2 << 20;

    /// <summary>
    /// So much content stands in one member with a larger file's headers: a change anywhere in the file changes its time, and with it these headers, but not the rest of the
    /// first piece.
    /// </summary>
    private const int HeadBytes = 16 << 10;

    private readonly ArrayBufferWriter<byte> _headers = new();
    private readonly List<PackedEntry> _packed = [];
    private MemberDraft? _group;
    private long _tarBytes;

    /// <summary>The entries in the order of the tar; complete when <see cref="Run"/> has returned.</summary>
    public IReadOnlyList<PackedEntry> Packed => _packed;

    /// <summary>Whether an entry shares its member with others.</summary>
    public static bool IsSmall(TreeEntry entry) => entry.Size <= OwnMemberBytes;

    /// <summary>Makes all members, the tar's end mark included.</summary>
    /// <exception cref="PackException">A file is not what its entry says.</exception>
    public void Run(IEnumerable<PlanItem> plan)
    {
        foreach (var item in plan)
        {
            switch (item)
            {
                case PlanItem.FromBase unit:
                    TakeFromBase(unit);
                    break;
                case PlanItem.Fresh fresh:
                    WriteHeaders(fresh.Entry);
                    if (IsSmall(fresh.Entry))
                    {
                        AddToGroup(fresh.Entry);
                    }
                    else
                    {
                        AddLarge(fresh.Entry, fresh.Before);
                    }

                    break;
            }
        }

        EndGroup();
        var end = takeDraft();
        end.Append(TarEnd.LengthAfter(_tarBytes)).Clear();
        Emit(end);
    }

    private void WriteHeaders(TreeEntry entry)
    {
        _headers.ResetWrittenCount();
        if (MemberNames.For(entry, options) is { } name)
        {
            TarHeaderWriter.Write(name, entry, _headers);
        }
    }

    private void TakeFromBase(PlanItem.FromBase unit)
    {
        EndGroup();
        var index = options.Base!;
        for (var i = unit.FirstEntry; i < unit.FirstEntry + unit.EntryCount; i++)
        {
            _packed.Add(new PackedEntry(index.Entries[i].Entry, index.Entries[i].HeaderBytes));
        }

        for (var i = unit.FirstMember; i < unit.FirstMember + unit.MemberCount; i++)
        {
            EmitBase(i);
        }
    }

    private void AddToGroup(TreeEntry entry)
    {
        var headers = _headers.WrittenSpan;
        var padding = TarHeaderWriter.Padding(entry.Size);
        var length = headers.Length + (int)entry.Size + padding.Length;
        if (_group is not null && _group.Length + length > GroupBytes)
        {
            EndGroup();
        }

        if (length > 0)
        {
            _group ??= takeDraft();
            headers.CopyTo(_group.Append(headers.Length));
        }

        if (entry.Type == TreeEntryType.File)
        {
            using var file = new SourceFile(folder, entry);
            file.ReadFully(_group!.Append((int)entry.Size));
            entry = file.Finish();
            padding.CopyTo(_group.Append(padding.Length));
        }

        _packed.Add(new PackedEntry(entry, headers.Length));
    }

    private void AddLarge(TreeEntry entry, IndexedEntry? before)
    {
        EndGroup();
        using var file = new SourceFile(folder, entry);
        var headers = _headers.WrittenSpan;
        for (long offset = 0; offset < entry.Size; offset = PieceEnd(offset))
        {
            var draft = takeDraft();
            if (offset == 0)
            {
                headers.CopyTo(draft.Append(headers.Length));
            }

            var length = (int)Math.Min(file.Left, PieceEnd(offset) - offset);
            file.ReadFully(draft.Append(length));
            var padding = file.Left == 0 ? TarHeaderWriter.Padding(entry.Size) : default;
            padding.CopyTo(draft.Append(padding.Length));
            if (options.LeavesPieces && offset > 0)
            {
                draft.Piece = new StoredPiece(entry.Path, offset, length, padding.Length, default);
            }

            EmitPiece(draft, before is null ? null : SamePiece(before, before.ContentTarOffset + offset - (offset == 0 ? headers.Length : 0), draft));
        }

        _packed.Add(new PackedEntry(file.Finish(), headers.Length));
    }

    /// <summary>Where the piece of a larger file ends that begins at an offset: behind the head, then at every 4 MiB.</summary>
    private static long PieceEnd(long offset) => offset == 0 ? HeadBytes : ((offset / MemberDraft.ContentBytes) + 1) * MemberDraft.ContentBytes;

    /// <summary>A piece that the base has, too, is taken from there; where that means fetching it, only when it would have to be compressed otherwise.</summary>
    private void EmitPiece(MemberDraft draft, int? same)
    {
        if (same is not { } member)
        {
            Emit(draft);
        }
        else if (options.ReadBase is not null && options.Base!.Members[member] is var there && (there.Coding == MemberCoding.Stored || there.TarBytes < ReadBytesMin))
        {
            draft.IsKnownWorthless = there.Coding == MemberCoding.Stored;
            Emit(draft);
        }
        else
        {
            EmitBase(member);
            emit(new PackStep(draft, -1, IsUnused: true));
        }
    }

    /// <summary>The member of the base that holds exactly these bytes, from a place of its tar on that belongs to the same file.</summary>
    private int? SamePiece(IndexedEntry before, long tarOffset, MemberDraft draft)
    {
        var members = options.Base!.Members;
        var (low, high) = (before.FirstMember, before.FirstMember + before.MemberCount - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = members[middle].TarOffset <= tarOffset ? (middle, high) : (low, middle - 1);
        }

        var member = members[low];
        return member.TarOffset == tarOffset && member.TarBytes == draft.Length && member.Digest == ContentDigest.From(XxHash128.HashToUInt128(draft.Tar)) ? low : null;
    }

    private void EndGroup()
    {
        if (_group is { } group)
        {
            _group = null;
            Emit(group);
        }
    }

    private void Emit(MemberDraft draft)
    {
        _tarBytes += draft.Length;
        emit(new PackStep(draft, -1));
    }

    private void EmitBase(int member)
    {
        _tarBytes += options.Base!.Members[member].TarBytes;
        emit(new PackStep(null, member));
    }
}

/// <summary>An entry as it was packed.</summary>
/// <param name="Entry">Files with their digest.</param>
/// <param name="HeaderBytes">Length of its headers; 0 when the layout has no member for it.</param>
internal readonly record struct PackedEntry(TreeEntry Entry, int HeaderBytes);

/// <summary>One member in the order of the archive: a draft to be encoded, or a member of the base.</summary>
/// <param name="Draft">The draft, or null.</param>
/// <param name="BaseMember">The member of the base, when there is no draft.</param>
/// <param name="IsUnused">The draft is not needed after all and only goes back.</param>
internal readonly record struct PackStep(MemberDraft? Draft, int BaseMember, bool IsUnused = false);
