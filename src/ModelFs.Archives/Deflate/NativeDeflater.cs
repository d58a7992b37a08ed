using System.Buffers;

namespace ModelFs.Archives.Deflate;

/// <summary>ISA-L's deflate.</summary>
internal sealed class NativeDeflater : IDeflater
{
    private const int RoomBytes = 64 << 10;

    private readonly InteropModelfs.DeflateHandle _handle;

    public NativeDeflater(int level)
    {
        _handle = InteropModelfs.DeflateNew(level);
        if (_handle.IsInvalid)
        {
            throw new InsufficientMemoryException($"no deflate state for level {level}");
        }
    }

    public void Write(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        while (!input.IsEmpty)
        {
            Run(input, output, finish: false, out var consumed);
            input = input[consumed..];
        }
    }

    public void Finish(IBufferWriter<byte> output)
    {
        while (!Run([], output, finish: true, out _))
        {
        }
    }

    public void Reset() => InteropModelfs.DeflateReset(_handle);

    public void Dispose() => _handle.Dispose();

    private unsafe bool Run(ReadOnlySpan<byte> input, IBufferWriter<byte> output, bool finish, out int consumed)
    {
        var room = output.GetSpan(RoomBytes);
        fixed (byte* inputStart = input, outputStart = room)
        {
            var result = InteropModelfs.DeflateRun(
                _handle, inputStart, (ulong)input.Length, out var inputUsed, outputStart, (ulong)room.Length, out var outputUsed, finish ? 1 : 0);
            if (result < 0 || (result == 0 && inputUsed == 0 && outputUsed == 0))
            {
                throw new InvalidOperationException($"deflate code {result}");
            }

            consumed = (int)inputUsed;
            output.Advance((int)outputUsed);
            return result == 1;
        }
    }
}
