using System.Buffers;
using System.IO.Hashing;
using ModelFs.Archives.Indexed;
using ModelFs.Archives.Tar;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>
/// Reads a model folder into members: a file of its own for each larger file, cut every 4 MiB, small files together. It runs on one thread; what it makes comes out in
/// the order of the archive.
/// </summary>
internal sealed class MemberProducer(string folder, PackOptions options, Func<MemberDraft> takeDraft, Action<PackStep> emit)
{
    /// <summary>Files above this size have members of their own.</summary>
    public const int OwnMemberBytes = 256 << 10;

    /// <summary>Small files are packed together up to this size; so much is fetched at least when one of them is read.</summary>
    public const int GroupBytes = 512 << 10;

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
        for (long offset = 0; offset < entry.Size; offset += MemberDraft.ContentBytes)
        {
            var draft = takeDraft();
            if (offset == 0)
            {
                headers.CopyTo(draft.Append(headers.Length));
            }

            file.ReadFully(draft.Append((int)Math.Min(file.Left, MemberDraft.ContentBytes)));
            if (file.Left == 0)
            {
                var padding = TarHeaderWriter.Padding(entry.Size);
                padding.CopyTo(draft.Append(padding.Length));
            }

            if (before is not null && offset > 0 && SamePiece(before, offset, draft) is { } member)
            {
                EmitBase(member);
                emit(new PackStep(draft, -1, IsUnused: true));
            }
            else
            {
                Emit(draft);
            }
        }

        _packed.Add(new PackedEntry(file.Finish(), headers.Length));
    }

    /// <summary>The member of the base that holds exactly these bytes at this place of the file.</summary>
    private int? SamePiece(IndexedEntry before, long offset, MemberDraft draft)
    {
        var index = options.Base!;
        var number = before.FirstMember + (int)(offset / MemberDraft.ContentBytes);
        if (number >= before.FirstMember + before.MemberCount)
        {
            return null;
        }

        var member = index.Members[number];
        return member.TarOffset == before.ContentTarOffset + offset
            && member.TarBytes == draft.Length
            && member.Digest == ContentDigest.From(XxHash128.HashToUInt128(draft.Tar))
            ? number
            : null;
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
