namespace ModelFs.Stores.Mongo.Bookkeeping;

/// <summary>The right to change one key, held by one writer among all ModelFs programs on one database.</summary>
/// <remarks>
/// The record names the writer. One that died is recognised without comparing clocks: its record does not change for longer than a
/// living writer could still act on it. Programs that know nothing of ModelFs take no turn.
/// </remarks>
internal sealed class WriteTurn
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly RecordTable _records;

    private WriteTurn(RecordTable records, ModelRecord record)
    {
        _records = records;
        Record = record;
    }

    /// <summary>The record as this writer left it last.</summary>
    internal ModelRecord Record { get; private set; }

    /// <summary>Waits for the turn.</summary>
    /// <param name="records">Of the store.</param>
    /// <param name="key">To be changed.</param>
    /// <param name="connection">Of the store.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    internal static async Task<WriteTurn> TakeAsync(RecordTable records, string key, MongoConnection connection, CancellationToken cancellationToken)
    {
        var time = connection.Options.TimeProvider;
        var deadAfter = DeadAfter(connection.Options.Deadlines);
        var watched = default((long Version, string? Writer));
        var since = time.GetTimestamp();
        while (true)
        {
            var record = await records.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            if (watched != (record.Version, record.Writer))
            {
                watched = (record.Version, record.Writer);
                since = time.GetTimestamp();
            }

            if (record.Writer is null || time.GetElapsedTime(since) > deadAfter)
            {
                var taken = await records.TryChangeAsync(record, record with { Writer = Guid.NewGuid().ToString("N") }, cancellationToken).ConfigureAwait(false);
                if (taken is not null)
                {
                    return new WriteTurn(records, taken);
                }
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Changes the record and keeps the turn.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Unavailable"/> when another writer took this one for dead.</exception>
    internal async Task ChangeAsync(ModelRecord after, CancellationToken cancellationToken) =>
        Record = await _records.TryChangeAsync(Record, after, cancellationToken).ConfigureAwait(false)
            ?? throw new StoreException(StoreErrorKind.Unavailable, $"{Record.Key}: another writer took over, because this one was too slow; it is tried again");

    /// <summary>Ends the turn; a record that says nothing is removed.</summary>
    internal async Task EndAsync()
    {
        if (Record.IsEmpty)
        {
            await _records.RemoveAsync(Record, CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            await _records.TryChangeAsync(Record, Record with { Writer = null }, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A replacement of a document is at most two deadlines away from the change of the record before it; every other change that a writer
    /// makes live is a change of the record itself, which fails when another took over.
    /// </summary>
    private static TimeSpan DeadAfter(StoreDeadlines deadlines) => (2 * deadlines.NoProgress) + deadlines.Connect;
}
