namespace ModelFs.Fuse;

/// <summary>
/// Idle buffers in three sizes. It bounds what is kept, never what is in use: a reader that waited for a buffer could not read the very
/// INTERRUPT that frees one. What is in use is bounded by the kernel's max_background and by the number of waiting programs.
/// </summary>
internal sealed class FuseBufferPool(int capacityMax, int keptPerSize)
{
    private readonly int[] capacities = [4096, Math.Min(128 * 1024, capacityMax), capacityMax];
    private readonly Stack<FuseBuffer>[] idle = [new(), new(), new()];

    /// <summary>A buffer of at least this many bytes.</summary>
    internal FuseBuffer Rent(int length)
    {
        for (int i = 0; i < capacities.Length; i++)
        {
            if (length <= capacities[i])
            {
                lock (idle[i])
                {
                    return idle[i].TryPop(out FuseBuffer? buffer) ? buffer : new FuseBuffer(capacities[i]);
                }
            }
        }

        return new FuseBuffer(length);
    }

    /// <summary>Takes a buffer back that nobody uses any more.</summary>
    internal void Return(FuseBuffer buffer)
    {
        int i = Array.IndexOf(capacities, buffer.Capacity);
        if (i < 0)
        {
            return;
        }

        lock (idle[i])
        {
            if (idle[i].Count < keptPerSize)
            {
                idle[i].Push(buffer);
            }
        }
    }
}
