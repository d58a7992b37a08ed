using System.Buffers.Binary;

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

/// <summary>All buckets. Conditions are checked and changes made under one lock, as a server does atomically.</summary>
internal sealed class GcsObjects
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SortedDictionary<string, GcsObject>> _buckets = new(StringComparer.Ordinal);
    private long _generation = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    internal bool Create(string bucket)
    {
        lock (_lock)
        {
            return _buckets.TryAdd(bucket, new SortedDictionary<string, GcsObject>(StringComparer.Ordinal));
        }
    }

    internal bool Exists(string bucket)
    {
        lock (_lock)
        {
            return _buckets.ContainsKey(bucket);
        }
    }

    internal GcsObject Get(string bucket, string name)
    {
        lock (_lock)
        {
            return Of(bucket).TryGetValue(name, out var found) ? found : throw GcsRefusal.NoSuchObject(bucket, name);
        }
    }

    internal IReadOnlyList<GcsObject> List(string bucket, string prefix, string after, int max)
    {
        lock (_lock)
        {
            return [.. Of(bucket).Values.Where(o => o.Name.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(o.Name, after) > 0).Take(max)];
        }
    }

    internal GcsObject Put(string bucket, string name, byte[] bytes, string contentType, long? ifGeneration, string? contentEncoding = null)
    {
        lock (_lock)
        {
            var objects = Of(bucket);
            Require(objects.GetValueOrDefault(name), ifGeneration);
            var now = DateTimeOffset.UtcNow;
            return objects[name] = new GcsObject(name, ++_generation, bytes, new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero), contentType, contentEncoding);
        }
    }

    internal void Delete(string bucket, string name, long? ifGeneration)
    {
        lock (_lock)
        {
            var objects = Of(bucket);
            Require(objects.GetValueOrDefault(name), ifGeneration);
            if (!objects.Remove(name))
            {
                throw GcsRefusal.NoSuchObject(bucket, name);
            }
        }
    }

    private static void Require(GcsObject? current, long? ifGeneration)
    {
        if (ifGeneration is { } wanted && wanted != (current?.Generation ?? 0))
        {
            throw new GcsRefusal(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
        }
    }

    private SortedDictionary<string, GcsObject> Of(string bucket) =>
        _buckets.TryGetValue(bucket, out var found) ? found : throw new GcsRefusal(404, "notFound", "The specified bucket does not exist.");
}

/// <summary>A request that is refused.</summary>
internal sealed class GcsRefusal(int status, string reason, string message) : Exception(message)
{
    internal int Status => status;

    internal string Reason => reason;

    internal static GcsRefusal NoSuchObject(string bucket, string name) => new(404, "notFound", $"No such object: {bucket}/{name}");

    internal static GcsRefusal Invalid(string message) => new(400, "invalid", message);
}
