using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// Which slices of a copy's files hold their content: one bit each, in <c>hydrated</c> beside the content. A slice is written before its bit, so
/// a bit is true after the death of the daemon. It need not be after the death of the machine: the map names the boot that it was
/// written in, and of another boot only <c>hydrated.synced</c> counts, which is made after the content was brought to the disk (FORMATS, "Cache").
/// </summary>
/// <remarks>All members may be called from any thread. No descriptor is held.</remarks>
internal sealed class HydrationMap
{
    /// <summary>Of both files: "MFHM" @0, version u32 @4, slices u32 @8, CRC-32 of the other header bytes @12, boot id in ASCII @16, zeros; then the bits.</summary>
    private const int HeaderBytes = 64;

    private const uint Magic = 0x4D48_464D;
    private const uint Version = 1;
    private const int BootIdMax = 48;

    private readonly Lock _gate = new();
    private readonly string _folder;
    private readonly byte[] _bits;
    private byte[] _synced;
    private int _count;
    private int _clearings;

    private HydrationMap(string folder, int slices, byte[] bits, byte[] synced)
    {
        _folder = folder;
        Slices = slices;
        _bits = bits;
        _synced = synced;
        _count = bits.Sum(each => System.Numerics.BitOperations.PopCount(each));
    }

    /// <summary>How many slices the copy's files have.</summary>
    public int Slices { get; }

    /// <summary>How many of them are here.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    /// <summary>Whether some bit is not among those that outlive the machine.</summary>
    public bool IsUnsynced
    {
        get
        {
            lock (_gate)
            {
                return !_bits.AsSpan().SequenceEqual(_synced);
            }
        }
    }

    private string LivePath => _folder + "/hydrated";

    private string SyncedPath => _folder + "/hydrated.synced";

    /// <summary>Makes the map of a copy of which nothing is here.</summary>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public static HydrationMap Create(string folder, int slices)
    {
        var map = new HydrationMap(folder, slices, NewBits(slices), NewBits(slices));
        Write(map.LivePath, map._bits, slices, CacheFolder.BootId, durable: false);
        return map;
    }

    /// <summary>The map of the copy whose folder has this name from now on; the one of before is not used any more.</summary>
    public HydrationMap MovedTo(string folder) => new(folder, Slices, _bits, _synced);

    /// <summary>Makes the map of a copy of which everything is here.</summary>
    /// <param name="folder">The copy's folder.</param>
    /// <param name="slices">How many slices its files have.</param>
    /// <param name="isSynced">Whether all of it is on the disk.</param>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public static HydrationMap CreateFull(string folder, int slices, bool isSynced)
    {
        var bits = NewBits(slices);
        for (var slice = 0; slice < slices; slice++)
        {
            bits[slice >> 3] |= (byte)(1 << (slice & 7));
        }

        var map = new HydrationMap(folder, slices, bits, isSynced ? [.. bits] : NewBits(slices));
        Write(map.SyncedPath, map._synced, slices, "", durable: true);
        Write(map.LivePath, map._bits, slices, CacheFolder.BootId, durable: false);
        return map;
    }

    /// <summary>Takes up the map of a copy.</summary>
    /// <param name="folder">The copy's folder.</param>
    /// <param name="slices">How many slices its files have; null takes the map's own word.</param>
    /// <returns>Null when it is missing or damaged: what is here of the copy can't be told.</returns>
    /// <exception cref="ModelException">The cache's disk refused.</exception>
    public static HydrationMap? Load(string folder, int? slices)
    {
        if (Read(folder + "/hydrated", slices, out var count, out var bootId) is not { } bits)
        {
            return null;
        }

        var synced = Read(folder + "/hydrated.synced", count, out _, out _) ?? NewBits(count);
        var isOtherBoot = bootId != CacheFolder.BootId;
        var map = new HydrationMap(folder, count, isOtherBoot ? [.. synced] : bits, synced);
        if (isOtherBoot)
        {
            Write(map.LivePath, map._bits, count, CacheFolder.BootId, durable: false);
        }

        return map;
    }

    /// <summary>Removes the map of a copy that is complete and about to be changed.</summary>
    public static void Remove(string folder)
    {
        _ = PosixFile.Unlink(folder + "/hydrated");
        _ = PosixFile.Unlink(folder + "/hydrated.synced");
    }

    /// <summary>Whether a slice is here.</summary>
    public bool Has(int slice)
    {
        lock (_gate)
        {
            return (_bits[slice >> 3] & (1 << (slice & 7))) != 0;
        }
    }

    /// <summary>Whether so many slices from one on are here.</summary>
    public bool HasAll(int first, int count)
    {
        lock (_gate)
        {
            for (var slice = first; slice < first + count; slice++)
            {
                if ((_bits[slice >> 3] & (1 << (slice & 7))) == 0)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Notes that slices were written; their content is in the files by now.</summary>
    /// <exception cref="ModelException">The cache's disk refused; they do not count as here.</exception>
    public void Set(IReadOnlyCollection<int> slices)
    {
        if (slices.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            var changed = (byte[])_bits.Clone();
            foreach (var slice in slices)
            {
                changed[slice >> 3] |= (byte)(1 << (slice & 7));
            }

            var (first, last) = (slices.Min() >> 3, slices.Max() >> 3);
            DurableFile.Check(PosixFile.Open(LivePath, PosixFile.WriteOnly, 0, out var file), "open", LivePath);
            using (file)
            {
                DurableFile.Check(PosixFile.Write(file, changed.AsSpan(first..(last + 1)), HeaderBytes + first, out _), "write", LivePath);
            }

            Take(changed);
        }
    }

    /// <summary>Notes that slices are about to go; returns when this survives the loss of power, so that their content may go.</summary>
    /// <exception cref="ModelException">The cache's disk refused; nothing may be dropped.</exception>
    public void ClearDurably(IEnumerable<(int First, int Count)> runs)
    {
        lock (_gate)
        {
            var changed = (byte[])_bits.Clone();
            var synced = (byte[])_synced.Clone();
            foreach (var (first, count) in runs)
            {
                for (var slice = first; slice < first + count; slice++)
                {
                    changed[slice >> 3] &= (byte)~(1 << (slice & 7));
                    synced[slice >> 3] &= (byte)~(1 << (slice & 7));
                }
            }

            // The map that outlives the machine first: nothing else is believed after its death.
            Write(SyncedPath, synced, Slices, "", durable: true);
            Write(LivePath, changed, Slices, CacheFolder.BootId, durable: true);
            _synced = synced;
            _clearings++;
            Take(changed);
        }
    }

    /// <summary>The bits as they are, to be given to <see cref="NoteSynced"/> after the content was brought to the disk.</summary>
    public MapSnapshot Snapshot()
    {
        lock (_gate)
        {
            return new MapSnapshot([.. _bits], _clearings);
        }
    }

    /// <summary>Notes that what <paramref name="snapshot"/> tells is on the disk; nothing happens when something was dropped since: it may be here again, and not on the disk.</summary>
    /// <exception cref="ModelException">The cache's disk refused; less is kept after the loss of power.</exception>
    public void NoteSynced(MapSnapshot snapshot)
    {
        lock (_gate)
        {
            if (snapshot.Clearings == _clearings)
            {
                Write(SyncedPath, snapshot.Bits, Slices, "", durable: true);
                _synced = snapshot.Bits;
            }
        }
    }

    private static byte[] NewBits(int slices) => new byte[(slices + 7) / 8];

    private static void Write(string path, byte[] bits, int slices, string bootId, bool durable)
    {
        var content = new byte[HeaderBytes + bits.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(4), Version);
        BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(8), slices);
        Encoding.ASCII.GetBytes(bootId.AsSpan(0, Math.Min(bootId.Length, BootIdMax)), content.AsSpan(16));
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(12), HeaderCrc(content));
        bits.CopyTo(content, HeaderBytes);
        DurableFile.WriteBytes(path, content, durable);
    }

    private static byte[]? Read(string path, int? expected, out int slices, out string bootId)
    {
        bootId = "";
        slices = 0;
        try
        {
            var content = File.ReadAllBytes(path);
            if (content.Length < HeaderBytes
                || BinaryPrimitives.ReadUInt32LittleEndian(content) != Magic
                || BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(4)) != Version
                || BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(12)) != HeaderCrc(content))
            {
                return null;
            }

            slices = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(8));
            if (slices < 0 || (expected ?? slices) != slices || content.Length != HeaderBytes + NewBits(slices).Length)
            {
                return null;
            }

            bootId = Encoding.ASCII.GetString(content.AsSpan(16, BootIdMax)).TrimEnd('\0');
            return content[HeaderBytes..];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static uint HeaderCrc(ReadOnlySpan<byte> content)
    {
        var crc = new Crc32();
        crc.Append(content[..12]);
        crc.Append(content[16..HeaderBytes]);
        return crc.GetCurrentHashAsUInt32();
    }

    private void Take(byte[] changed)
    {
        changed.CopyTo(_bits, 0);
        _count = _bits.Sum(each => System.Numerics.BitOperations.PopCount(each));
    }
}

/// <summary>A map as it was at one moment.</summary>
/// <param name="Bits">One per slice.</param>
/// <param name="Clearings">How often slices had been dropped.</param>
internal sealed record MapSnapshot(byte[] Bits, int Clearings);
