using System.Buffers;
using System.Buffers.Binary;

namespace ModelFs.Archives.Deflate;

/// <summary>Writes stored blocks only: 5 bytes, then up to 65,535 bytes as they are.</summary>
internal sealed class StoringDeflater : IDeflater
{
    public const int BlockBytesMax = 65_535;
    public const int BlockHeaderBytes = 5;

    private readonly byte[] _held = new byte[BlockBytesMax];
    private int _heldBytes;

    /// <summary>Appends one block.</summary>
    public static void WriteBlock(ReadOnlySpan<byte> block, bool isLast, IBufferWriter<byte> output)
    {
        var room = output.GetSpan(BlockHeaderBytes + block.Length);
        WriteBlockHeader(room, block.Length, isLast);
        block.CopyTo(room[BlockHeaderBytes..]);
        output.Advance(BlockHeaderBytes + block.Length);
    }

    /// <summary>Writes what stands before a block's bytes.</summary>
    public static void WriteBlockHeader(Span<byte> room, int length, bool isLast)
    {
        room[0] = isLast ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(room[1..], (ushort)length);
        BinaryPrimitives.WriteUInt16LittleEndian(room[3..], (ushort)~length);
    }

    public void Write(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        while (!input.IsEmpty)
        {
            // A full block waits until it is known whether it is the last one.
            if (_heldBytes == BlockBytesMax)
            {
                WriteBlock(_held, isLast: false, output);
                _heldBytes = 0;
            }

            var part = input[..Math.Min(input.Length, BlockBytesMax - _heldBytes)];
            part.CopyTo(_held.AsSpan(_heldBytes));
            _heldBytes += part.Length;
            input = input[part.Length..];
        }
    }

    public void Finish(IBufferWriter<byte> output)
    {
        WriteBlock(_held.AsSpan(0, _heldBytes), isLast: true, output);
        _heldBytes = 0;
    }

    public void Reset() => _heldBytes = 0;

    public void Dispose()
    {
        // Managed memory only.
    }
}
