using Microsoft.Extensions.Logging;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Bookkeeping;
using ModelFs.Stores.Mongo.Documents;
using ModelFs.Stores.Mongo.GridFs;
using MongoDB.Bson;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>A collection with one document per model, as Rasa NLU's MongoDB persistor writes and reads it; what a document can't hold is in GridFS.</summary>
/// <remarks>
/// <para>Both shapes stand under the key <c>MODEL_NAME.tar.gz</c>. A document reads as an archive that is rendered from it, the same bytes every
/// time: its <c>.json</c> files as they were published, or as Python's <c>json.dump</c> writes them where others wrote the document.</para>
/// <para>A document holds nothing but its model's files; what ModelFs needs besides is in the collections <c>COLLECTION.modelfs…</c>.</para>
/// <para>Conditions are kept among all ModelFs programs. Programs that know nothing of ModelFs can slip in between the look and the change.</para>
/// </remarks>
public sealed class MongoStore : IModelStore
{
    private const long ObjectBytesMax = 1L << 50;

    private readonly MongoConnection _connection;
    private readonly ModelReader _reader;
    private readonly ModelWriter _writer;
    private readonly ModelLister _lister;
    private readonly LeftoverSweep _sweep;

    /// <summary>Makes the store without reaching it.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.Misconfigured"/> when the CA file can't be read.</exception>
    public MongoStore(MongoSettings settings, StoreOptions options)
    {
        var logger = options.LoggerFactory.CreateLogger<MongoStore>();
        _connection = new MongoConnection(settings, options);
        var records = new RecordTable(_connection);
        var kept = new KeptFiles(_connection);
        var archives = new ArchiveFiles(_connection);
        _reader = new ModelReader(_connection, records, kept);
        _writer = new ModelWriter(_connection, records, kept, archives, _reader, new PastKeeper(_connection, archives, logger), logger);
        History = new MongoHistory(_connection, _reader, _writer);
        _lister = new ModelLister(_connection, records, _reader, logger);
        _sweep = new LeftoverSweep(_connection, records, archives, _reader, logger);
    }

    /// <inheritdoc/>
    public string DisplayName => _connection.Settings.DisplayName;

    /// <inheritdoc/>
    public StoreTraits Traits => new(
        ConditionSupport.CheckedBefore,
        ConditionSupport.CheckedBefore,
        ConditionSupport.CheckedBefore,
        ObjectBytesMax,
        ReadStreamsMax: 1)
    {
        Keeping = RevisionKeeping.Copies,
    };

    /// <inheritdoc/>
    public IObjectHistory? History { get; }

    /// <inheritdoc/>
    /// <remarks>A server makes a missing collection by itself, at the first publish.</remarks>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var first = await _connection.CallAsync(
            deadline => _connection.Models.Find(FilterDefinition<RawBsonDocument>.Empty).Project<BsonDocument>(new BsonDocument(ModelDocument.IdField, 1)).Limit(1).FirstOrDefaultAsync(deadline.Token),
            "opening",
            cancellationToken).ConfigureAwait(false);
        if (first is null && !_connection.Options.CreateIfMissing)
        {
            await RequireCollectionAsync(cancellationToken).ConfigureAwait(false);
        }

        await _sweep.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken) => _lister.ListAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) =>
        (await _reader.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Object;

    /// <inheritdoc/>
    public async Task<Stream> ReadAsync(StoredObject source, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, source.Length - offset);
        var doing = $"reading {source.Key}";
        var current = await _reader.ReadAsync(source.Key, cancellationToken).ConfigureAwait(false);
        if (current.Object?.Revision != source.Revision)
        {
            throw _connection.Errors.Error(StoreErrorKind.RevisionChanged, doing, "it was replaced or deleted since it was looked up");
        }

        if (current.Problem is { } problem)
        {
            throw _connection.Errors.Error(StoreErrorKind.Rejected, doing, problem);
        }

        return current.Rendered is { } rendered
            ? new MemoryStream(rendered, (int)offset, (int)length, writable: false)
            : new ArchiveReadStream(_connection, current.Record.Archive!, source.Key, offset, length, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StoredObject> PublishAsync(string key, IPublishContent content, PublishCondition condition, CancellationToken cancellationToken) =>
        ReplacedSource.AsConditionAsync(this, key, condition, () => _writer.PublishAsync(key, content, condition, null, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken) => _writer.DeleteAsync(key, ifRevision, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task RequireCollectionAsync(CancellationToken cancellationToken)
    {
        var name = _connection.Settings.Collection;
        var options = new ListCollectionNamesOptions { Filter = new BsonDocument("name", new BsonDocument("$in", new BsonArray([name, name + ".modelfs"]))) };
        var names = await _connection.CallAsync(
            async deadline =>
            {
                using var cursor = await _connection.Database.ListCollectionNamesAsync(options, deadline.Token).ConfigureAwait(false);
                return await cursor.ToListAsync(deadline.Token).ConfigureAwait(false);
            },
            "opening",
            cancellationToken).ConfigureAwait(false);
        if (names.Count == 0)
        {
            throw _connection.Errors.Error(StoreErrorKind.NotFound, "opening", $"there is no collection '{name}', and creating it was refused");
        }
    }
}
