using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelFs.Cache.Posix;

namespace ModelFs.Cache;

/// <summary>
/// Small files of the cache's own state: one line of JSON, a space, and the CRC-32 of the JSON in eight hexadecimal digits, so that a torn
/// or damaged file is told from a whole one. Written to a temporary name and renamed.
/// </summary>
internal static class DurableFile
{
    /// <summary>Added to the name while a file is being written; what a dead daemon left under such a name never counts.</summary>
    public const string TemporaryEnding = ".tmp";

    /// <summary>Writes; returns when the content is on the disk if <paramref name="durable"/>, otherwise when it survives the death of this process.</summary>
    /// <exception cref="IOException">The disk refused; the previous content stands.</exception>
    public static void Write<T>(string path, T value, JsonTypeInfo<T> type, bool durable)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        WriteBytes(path, [.. json, .. Encoding.ASCII.GetBytes($" {Crc32.HashToUInt32(json):x8}\n")], durable);
    }

    /// <summary>Writes a file of any content in the same way.</summary>
    /// <exception cref="IOException">The disk refused; the previous content stands.</exception>
    public static void WriteBytes(string path, ReadOnlySpan<byte> content, bool durable)
    {
        var temporary = path + TemporaryEnding;
        Check(PosixFile.Open(temporary, PosixFile.WriteOnly | PosixFile.Create | PosixFile.Truncate, 0x180, out var file), "create", temporary);
        using (file)
        {
            Check(PosixFile.Write(file, content, 0, out _), "write", temporary);
            if (durable)
            {
                Check(PosixFile.Sync(file), "sync", temporary);
            }
        }

        Check(PosixFile.Rename(temporary, path), "rename", temporary);
        if (durable)
        {
            Check(PosixFile.SyncPath(Path.GetDirectoryName(path)!), "sync", Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <returns>Null when there is no such file, or it is torn or damaged.</returns>
    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var bytes = File.ReadAllBytes(path).AsSpan();
            var space = bytes.LastIndexOf((byte)' ');
            if (space < 0 || bytes.Length != space + 10 || bytes[^1] != (byte)'\n'
                || !uint.TryParse(bytes[(space + 1)..^1], System.Globalization.NumberStyles.AllowHexSpecifier, null, out var crc)
                || crc != Crc32.HashToUInt32(bytes[..space]))
            {
                return null;
            }

            return JsonSerializer.Deserialize(bytes[..space], type);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Throws for a failed call on the cache's disk.</summary>
    public static void Check(Errno error, string verb, string path)
    {
        if (error != Errno.None)
        {
            throw new ModelException(
                error == Errno.ENOSPC ? ModelErrorKind.NoSpace : ModelErrorKind.CacheFailed,
                $"cannot {verb} {path} in the cache: {error}; free space on its disk or check it");
        }
    }
}
