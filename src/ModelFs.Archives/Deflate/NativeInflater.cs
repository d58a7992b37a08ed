namespace ModelFs.Archives.Deflate;

/// <summary>ISA-L's inflate.</summary>
internal sealed class NativeInflater : IInflater
{
    private readonly InteropModelfs.InflateHandle _handle = InteropModelfs.InflateNew();

    public NativeInflater()
    {
        if (_handle.IsInvalid)
        {
            throw new InsufficientMemoryException("no memory for an inflate state");
        }
    }

    public unsafe bool Run(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        fixed (byte* inputStart = input, outputStart = output)
        {
            var result = InteropModelfs.InflateRun(
                _handle, inputStart, (ulong)input.Length, out var inputUsed, outputStart, (ulong)output.Length, out var outputUsed);
            if (result < 0)
            {
                throw new InvalidDataException($"inflate code {result}");
            }

            consumed = (int)inputUsed;
            produced = (int)outputUsed;
            return result == 1;
        }
    }

    public void Reset() => InteropModelfs.InflateReset(_handle);

    public void Dispose() => _handle.Dispose();
}
