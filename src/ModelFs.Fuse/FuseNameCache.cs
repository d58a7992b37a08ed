using System.Text;
using System.Text.Unicode;

namespace ModelFs.Fuse;

/// <summary>
/// Turns the bytes of names into strings, and remembers the last ones by their hash, so that looking up the same names again and again
/// allocates nothing. One per reader thread; not thread-safe.
/// </summary>
internal sealed class FuseNameCache
{
    private const int Slots = 512;

    private readonly (byte[]? Bytes, string Text)[] slots = new (byte[]?, string)[Slots];

    /// <summary>The name as a string.</summary>
    /// <returns>False when the bytes are empty or not valid UTF-8.</returns>
    internal bool TryGet(ReadOnlySpan<byte> name, out string text)
    {
        ref (byte[]? Bytes, string Text) slot = ref slots[SlotOf(name)];
        if (slot.Bytes is not null && name.SequenceEqual(slot.Bytes))
        {
            text = slot.Text;
            return true;
        }

        if (name.IsEmpty || !Utf8.IsValid(name))
        {
            text = string.Empty;
            return false;
        }

        text = Encoding.UTF8.GetString(name);
        slot = (name.ToArray(), text);
        return true;
    }

    // FNV-1a: short keys, no seed needed, since a collision only costs one allocation.
    private static int SlotOf(ReadOnlySpan<byte> name)
    {
        uint hash = 2166136261;
        foreach (byte value in name)
        {
            hash = (hash ^ value) * 16777619;
        }

        return (int)((hash ^ (hash >> 16)) % Slots);
    }
}
