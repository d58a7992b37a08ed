using System.Diagnostics.CodeAnalysis;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Serializers;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo;

/// <summary>The driver's client of one store, made at the first call; every call through it has a deadline and the store's errors.</summary>
internal sealed class MongoConnection : IDisposable
{
    private readonly StoreOptions _options;
    private readonly Lazy<MongoClient> _client;

    static MongoConnection()
    {
        // The driver's own choices for these are made by reflection, which an ahead-of-time compiled program lacks.
        BsonDefaults.DynamicArraySerializer = BsonArraySerializer.Instance;
        BsonDefaults.DynamicDocumentSerializer = BsonDocumentSerializer.Instance;
    }

    internal MongoConnection(MongoSettings settings, StoreOptions options)
    {
        _options = options;
        Settings = settings;
        Errors = new MongoErrors(settings, options);
        var tls = MongoTrust.Settings(options.CaFile);
        _client = new Lazy<MongoClient>(() => Connect(tls));
    }

    /// <summary>Where the store is.</summary>
    internal MongoSettings Settings { get; }

    /// <summary>What errors mean.</summary>
    internal MongoErrors Errors { get; }

    /// <summary>The clock and the deadlines.</summary>
    internal StoreOptions Options => _options;

    /// <summary>The models' documents, in the original shape.</summary>
    internal IMongoCollection<RawBsonDocument> Models => Database.GetCollection<RawBsonDocument>(Settings.Collection);

    /// <summary>One record per key that ModelFs has written.</summary>
    internal IMongoCollection<BsonDocument> Records => Database.GetCollection<BsonDocument>(Settings.Collection + ".modelfs");

    /// <summary>What documents can't say about their files.</summary>
    internal IMongoCollection<BsonDocument> Kept => Database.GetCollection<BsonDocument>(Settings.Collection + ".modelfs.kept");

    /// <summary>The bytes of <see cref="Files"/>.</summary>
    internal IMongoCollection<RawBsonDocument> Chunks => Database.GetCollection<RawBsonDocument>(Settings.Collection + ".modelfs.chunks");

    /// <summary>The archives that are kept as they are: GridFS files of the bucket <c>COLLECTION.modelfs</c>.</summary>
    internal IMongoCollection<BsonDocument> Files => Database.GetCollection<BsonDocument>(Settings.Collection + ".modelfs.files");

    /// <summary>The store's database.</summary>
    internal IMongoDatabase Database => _client.Value.GetDatabase(Settings.Database);

    /// <summary>Now, to the precision that a server keeps.</summary>
    internal DateTime Now
    {
        get
        {
            var now = _options.TimeProvider.GetUtcNow().UtcDateTime;
            return new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);
        }
    }

    /// <summary>Makes one call with a deadline.</summary>
    internal async Task<T> CallAsync<T>(Func<ProgressDeadline, Task<T>> call, string doing, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var deadline = new ProgressDeadline(_options.Deadlines.NoProgress, _options.TimeProvider, cancellationToken);
        try
        {
            // Making the client looks up names and reads files; no caller's thread waits for that.
            return await Task.Run(() => call(deadline), deadline.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The contract: every failure is a StoreException.
        catch (Exception exception) when (exception is not (StoreException or Documents.DocumentException))
#pragma warning restore CA1031
        {
            if (!deadline.HasPassed)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            throw ErrorOf(exception, doing, deadline.HasPassed);
        }
    }

    /// <summary>Makes one call that has no result, with a deadline.</summary>
    internal Task CallAsync(Func<ProgressDeadline, Task> call, string doing, CancellationToken cancellationToken) => CallAsync(
        async deadline =>
        {
            await call(deadline).ConfigureAwait(false);
            return true;
        },
        doing,
        cancellationToken);

    /// <summary>The store's error of what a call threw.</summary>
    internal StoreException ErrorOf(Exception exception, string doing, bool deadlinePassed)
    {
        var heartbeat = _client.IsValueCreated
            ? _client.Value.Cluster.Description.Servers.Select(server => server.HeartbeatException).FirstOrDefault(failure => failure is not null)
            : null;
        return Errors.From(exception, heartbeat, doing, deadlinePassed);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }

    /// <summary>The driver makes this serializer by reflection, which an ahead-of-time compiled program allows only of what is named.</summary>
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, typeof(RawBsonDocumentSerializer))]
    private MongoClient Connect(SslSettings tls)
    {
        var settings = MongoClientSettings.FromConnectionString(Settings.ConnectionString);
        settings.ApplicationName ??= "modelfs";
        settings.ConnectTimeout = _options.Deadlines.Connect;
        settings.ServerSelectionTimeout = _options.Deadlines.Connect;
        settings.SslSettings = tls;

        if (settings.UseTls)
        {
            settings.ClusterConfigurator = builder => ProxyTunnels.Use(builder, _options.Deadlines.Connect);
        }

        // Look-ups decide about publishing: a secondary's view may be old. And what is acknowledged outlives the loss of one server.
        settings.ReadPreference = ReadPreference.Primary;
        if (settings.WriteConcern.Equals(WriteConcern.Acknowledged))
        {
            settings.WriteConcern = WriteConcern.WMajority;
        }

        return new MongoClient(settings);
    }
}
