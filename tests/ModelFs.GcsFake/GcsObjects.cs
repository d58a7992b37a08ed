using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json.Nodes;

namespace ModelFs.GcsFake;

/// <summary>One object at one generation.</summary>
internal sealed record GcsObject(string Name, long Generation, byte[] Bytes, DateTimeOffset Created, string ContentType, string? ContentEncoding)
{
    internal string Checksum { get; } = ChecksumOf(Bytes);

    /// <summary>CRC-32C, bit by bit as RFC 3720 has it: slow, and independent of the code under test.</summary>
    internal static string ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        var state = uint.MaxValue;
        foreach (var b in bytes)
        {
            state = (state >> 8) ^ Table[(byte)state ^ b];
        }

        Span<byte> written = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(written, ~state);
        return Convert.ToBase64String(written);
    }

    private static uint[] Table { get; } = [.. Enumerable.Range(0, 256).Select(i =>
    {
        var entry = (uint)i;
        for (var bit = 0; bit < 8; bit++)
        {
            entry = (entry & 1) != 0 ? (entry >> 1) ^ 0x82F63B78u : entry >> 1;
        }

        return entry;
    })];
}

/// <summary>An object that is not live any more.</summary>
/// <param name="Object">As it was.</param>
/// <param name="Ended">When it was replaced or deleted.</param>
/// <param name="IsSoftDeleted">Whether it can only be restored; otherwise it is a noncurrent version, which can be read.</param>
internal sealed record GcsPastObject(GcsObject Object, DateTimeOffset Ended, bool IsSoftDeleted);

/// <summary>All buckets. Conditions are checked and changes made under one lock, as a server does atomically.</summary>
/// <param name="ignoresConditions">Whether conditions count for nothing.</param>
internal sealed class GcsObjects(bool ignoresConditions)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private long _generation = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    internal bool Create(string bucket, JsonObject settings)
    {
        lock (_lock)
        {
            return _buckets.TryAdd(bucket, new Bucket().With(settings));
        }
    }

    /// <summary>Changes what a bucket keeps.</summary>
    internal void Change(string bucket, JsonObject settings)
    {
        lock (_lock)
        {
            Of(bucket).With(settings);
        }
    }

    internal JsonObject Describe(string bucket)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            var answer = new JsonObject
            {
                ["kind"] = "storage#bucket",
                ["name"] = bucket,
                ["softDeletePolicy"] = new JsonObject { ["retentionDurationSeconds"] = found.SoftDeleteSeconds.ToString(CultureInfo.InvariantCulture) },
            };
            if (found.HasVersions is { } isEnabled)
            {
                answer["versioning"] = new JsonObject { ["enabled"] = isEnabled };
            }

            return answer;
        }
    }

    internal bool Exists(string bucket)
    {
        lock (_lock)
        {
            return _buckets.ContainsKey(bucket);
        }
    }

    internal GcsObject Get(string bucket, string name, long? generation = null)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            return found.Live.TryGetValue(name, out var live) && (generation is null || live.Generation == generation) ? live
                : found.Past.Find(past => !past.IsSoftDeleted && past.Object.Name == name && past.Object.Generation == generation)?.Object
                ?? throw GcsRefusal.NoSuchObject(bucket, name);
        }
    }

    internal IReadOnlyList<GcsObject> List(string bucket, string prefix, string after, int max)
    {
        lock (_lock)
        {
            return [.. Of(bucket).Live.Values.Where(o => o.Name.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(o.Name, after) > 0).Take(max)];
        }
    }

    /// <summary>Soft-deleted objects, or all versions; in order of their names, and of one name in that of their generations.</summary>
    internal IReadOnlyList<GcsPastObject> ListPast(string bucket, string prefix, bool softDeleted)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            if (softDeleted && found.SoftDeleteSeconds == 0)
            {
                throw GcsRefusal.Invalid("The bucket has no soft delete policy.");
            }

            var live = softDeleted ? [] : found.Live.Values.Select(each => new GcsPastObject(each, default, false));
            return [.. found.Past.Where(past => past.IsSoftDeleted == softDeleted).Concat(live)
                .Where(past => past.Object.Name.StartsWith(prefix, StringComparison.Ordinal))
                .OrderBy(past => past.Object.Name, StringComparer.Ordinal).ThenBy(past => past.Object.Generation)];
        }
    }

    internal GcsObject Put(string bucket, string name, byte[] bytes, string contentType, long? ifGeneration, string? contentEncoding = null)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            Require(found.Live.GetValueOrDefault(name), ifGeneration);
            return PutLocked(found, name, bytes, contentType, contentEncoding);
        }
    }

    /// <summary>Copies a live or noncurrent generation over the live one.</summary>
    internal GcsObject Rewrite(string bucket, string name, long? sourceGeneration, string target, long? ifGeneration)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            Require(found.Live.GetValueOrDefault(target), ifGeneration);
            var source = Get(bucket, name, sourceGeneration);
            return PutLocked(found, target, source.Bytes, source.ContentType, source.ContentEncoding);
        }
    }

    /// <summary>Makes a soft-deleted generation live again, under a generation of its own.</summary>
    internal GcsObject Restore(string bucket, string name, long generation, long? ifGeneration)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            Require(found.Live.GetValueOrDefault(name), ifGeneration);
            var source = found.Past.Find(past => past.IsSoftDeleted && past.Object.Name == name && past.Object.Generation == generation)?.Object
                ?? throw GcsRefusal.NoSuchObject(bucket, name);
            return PutLocked(found, name, source.Bytes, source.ContentType, source.ContentEncoding);
        }
    }

    internal void Delete(string bucket, string name, long? ifGeneration)
    {
        lock (_lock)
        {
            var found = Of(bucket);
            Require(found.Live.GetValueOrDefault(name), ifGeneration);
            if (!found.Live.Remove(name, out var deleted))
            {
                throw GcsRefusal.NoSuchObject(bucket, name);
            }

            Keep(found, deleted);
        }
    }

    private static DateTimeOffset Now()
    {
        var now = DateTimeOffset.UtcNow;
        return new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
    }

    private static void Keep(Bucket bucket, GcsObject ended)
    {
        if (bucket.HasVersions == true || bucket.SoftDeleteSeconds > 0)
        {
            bucket.Past.Add(new GcsPastObject(ended, Now(), IsSoftDeleted: bucket.HasVersions != true));
        }
    }

    private void Require(GcsObject? current, long? ifGeneration)
    {
        if (!ignoresConditions && ifGeneration is { } wanted && wanted != (current?.Generation ?? 0))
        {
            throw new GcsRefusal(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
        }
    }

    private GcsObject PutLocked(Bucket bucket, string name, byte[] bytes, string contentType, string? contentEncoding)
    {
        if (bucket.Live.TryGetValue(name, out var replaced))
        {
            Keep(bucket, replaced);
        }

        return bucket.Live[name] = new GcsObject(name, ++_generation, bytes, Now(), contentType, contentEncoding);
    }

    private Bucket Of(string bucket) =>
        _buckets.TryGetValue(bucket, out var found) ? found : throw new GcsRefusal(404, "notFound", "The specified bucket does not exist.");

    private sealed class Bucket
    {
        internal SortedDictionary<string, GcsObject> Live { get; } = new(StringComparer.Ordinal);

        internal List<GcsPastObject> Past { get; } = [];

        /// <summary>Null until it was set once.</summary>
        internal bool? HasVersions { get; private set; }

        /// <summary>Google's default is a week.</summary>
        internal long SoftDeleteSeconds { get; private set; } = 7 * 24 * 3600;

        internal Bucket With(JsonObject settings)
        {
            HasVersions = (bool?)settings["versioning"]?["enabled"] ?? HasVersions;
            SoftDeleteSeconds = settings["softDeletePolicy"]?["retentionDurationSeconds"] is { } seconds
                ? long.Parse(seconds.ToString(), CultureInfo.InvariantCulture)
                : SoftDeleteSeconds;
            return this;
        }
    }
}

/// <summary>A request that is refused.</summary>
internal sealed class GcsRefusal(int status, string reason, string message) : Exception(message)
{
    internal int Status => status;

    internal string Reason => reason;

    internal static GcsRefusal NoSuchObject(string bucket, string name) => new(404, "notFound", $"No such object: {bucket}/{name}");

    internal static GcsRefusal Invalid(string message) => new(400, "invalid", message);
}
