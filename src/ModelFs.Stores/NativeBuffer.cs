using System.Buffers;
using System.Runtime.InteropServices;

namespace ModelFs.Stores;

/// <summary>A block of memory outside of the garbage collector's heap: given back to the system the moment it is disposed of.</summary>
internal sealed unsafe class NativeBuffer(int length) : MemoryManager<byte>
{
    private byte* _start = (byte*)NativeMemory.Alloc((nuint)length);

    /// <summary>In bytes.</summary>
    internal int Length => length;

    /// <inheritdoc/>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return new Span<byte>(_start, length);
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return new MemoryHandle(_start + elementIndex);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        NativeMemory.Free(_start);
        _start = null;
    }
}
