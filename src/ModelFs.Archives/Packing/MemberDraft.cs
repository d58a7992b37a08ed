using System.Buffers;
using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>One gzip member on its way: the reader fills <see cref="Tar"/>, an encoder makes <see cref="Encoded"/> of it, the writer takes it out and gives the draft back.</summary>
internal sealed class MemberDraft
{
    /// <summary>A file's content is cut into members of this size; a piece of it is not read without the whole piece.</summary>
    public const int ContentBytes = 4 << 20;

    /// <summary>Room for the longest headers in front of a piece.</summary>
    private const int CapacityBytes = ContentBytes + (128 << 10);

    private readonly byte[] _tar = new byte[CapacityBytes];

    /// <summary>The bytes of the tar.</summary>
    public ReadOnlySpan<byte> Tar => _tar.AsSpan(0, Length);

    public int Length { get; private set; }

    /// <summary>The gzip member.</summary>
    public ArrayBufferWriter<byte> Encoded { get; } = new(StoredMember.LengthOf(CapacityBytes));

    /// <summary>What it is a piece of, if it is left in its file should it be stored (<see cref="PackOptions.LeavesPieces"/>); the digest comes later. Otherwise null.</summary>
    public StoredPiece? Piece { get; set; }

    /// <summary>Whether the encoder left it in its file.</summary>
    public bool IsLeft => Piece is not null && Coding == MemberCoding.Stored;

    /// <summary>Length of the gzip member.</summary>
    public int ArchiveBytes => IsLeft ? StoredMember.LengthOf(Length) : Encoded.WrittenCount;

    public MemberCoding Coding { get; set; }

    /// <summary>Whether it is known already that deflate hardly shrinks it.</summary>
    public bool IsKnownWorthless { get; set; }

    public ContentDigest Digest { get; set; }

    /// <summary>What the encoder did.</summary>
    public CompressionReport Report { get; set; }

    /// <summary>Completed by the encoder.</summary>
    public TaskCompletionSource Done { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes room for <paramref name="length"/> more bytes of the tar.</summary>
    public Span<byte> Append(int length)
    {
        var room = _tar.AsSpan(Length, length);
        Length += length;
        return room;
    }

    public void Clear()
    {
        Length = 0;
        Piece = null;
        IsKnownWorthless = false;
        Encoded.ResetWrittenCount();
        Done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
