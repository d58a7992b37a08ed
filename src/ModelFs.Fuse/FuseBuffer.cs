using System.Runtime.CompilerServices;

namespace ModelFs.Fuse;

/// <summary>
/// Pinned memory with a page-aligned data area and room for a header just in front of it, so that header and data are one message in one
/// piece: 16 bytes before the data of a READ reply, 80 bytes (header and fuse_write_in) before the data of a WRITE request.
/// </summary>
internal sealed class FuseBuffer
{
    /// <summary>Room in front of the data area; any header of the protocol fits.</summary>
    internal const int HeaderRoom = 128;

    private const int PageSize = 4096;

    private readonly byte[] array;
    private readonly int dataOffset;

    internal unsafe FuseBuffer(int capacity)
    {
        Capacity = capacity;
        array = GC.AllocateUninitializedArray<byte>(HeaderRoom + PageSize + capacity, pinned: true);
        nint start = (nint)Unsafe.AsPointer(ref array[0]);
        nint data = (start + HeaderRoom + PageSize - 1) & ~(nint)(PageSize - 1);
        dataOffset = (int)(data - start);
    }

    /// <summary>Bytes in the data area.</summary>
    internal int Capacity { get; }

    /// <summary>A part of the data area from its beginning.</summary>
    internal Memory<byte> Data(int length) => array.AsMemory(dataOffset, length);

    /// <summary>A message that begins so many bytes before the data area.</summary>
    /// <param name="headerSize">Bytes in front of the data area, at most <see cref="HeaderRoom"/>.</param>
    /// <param name="dataLength">Bytes of the data area.</param>
    internal Memory<byte> Message(int headerSize, int dataLength) => array.AsMemory(dataOffset - headerSize, headerSize + dataLength);
}
