namespace ModelFs.Fuse;

/// <summary>How often an operation was asked for since the session began.</summary>
/// <param name="Name">The kernel's name of the operation, such as <c>LOOKUP</c>.</param>
/// <param name="Count">Requests read.</param>
/// <param name="Errors">Replies with an error, the ordinary ENOENT of a look-up among them.</param>
public readonly record struct FuseOperationStatistics(string Name, long Count, long Errors);

/// <summary>The counters of a session, by opcode.</summary>
internal sealed class FuseStatistics
{
    private readonly long[] counts = new long[FuseOperationTable.OpcodeCount];
    private readonly long[] errors = new long[FuseOperationTable.OpcodeCount];

    internal void CountRequest(FuseOpcode opcode) => Interlocked.Increment(ref counts[(int)opcode]);

    internal void CountError(FuseOpcode opcode) => Interlocked.Increment(ref errors[(int)opcode]);

    /// <summary>The operations that were asked for at least once.</summary>
    internal List<FuseOperationStatistics> Snapshot()
    {
        var result = new List<FuseOperationStatistics>();
        Add(FuseOperationTable.Unknown);
        foreach (FuseOperationRow row in FuseOperationTable.All)
        {
            Add(row);
        }

        return result;

        void Add(FuseOperationRow row)
        {
            long count = Interlocked.Read(ref counts[(int)row.Opcode]);
            if (count > 0)
            {
                result.Add(new(row.Name, count, Interlocked.Read(ref errors[(int)row.Opcode])));
            }
        }
    }
}
