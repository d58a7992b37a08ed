using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ModelFs.Archives;
using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Cache.Hydration;

/// <summary>
/// The archive's own index, kept in <c>index</c> beside a copy's content: "MFIX" @0, version u32 @4, the archive's length i64 @8, the revision's
/// length in bytes u32 @16, the revision in UTF-8, the archive's bytes from the index to its end, CRC-32 of all before it (FORMATS, "Cache").
/// </summary>
internal static class IndexFile
{
    private const uint Magic = 0x5849_464D;
    private const uint Version = 1;
    private const int HeaderBytes = 20;
    private const int CrcBytes = 4;

    /// <summary>Writes it.</summary>
    /// <param name="folder">The copy's folder.</param>
    /// <param name="revision">The store's revision whose index it is.</param>
    /// <param name="archiveLength">Of that revision's archive.</param>
    /// <param name="bytes">The archive from the index to its end.</param>
    /// <param name="durable">Whether it is to survive the loss of power when this returns.</param>
    public static void Write(string folder, string revision, long archiveLength, ReadOnlySpan<byte> bytes, bool durable)
    {
        var name = Encoding.UTF8.GetBytes(revision);
        var content = new byte[HeaderBytes + name.Length + bytes.Length + CrcBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(4), Version);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(8), archiveLength);
        BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(16), name.Length);
        name.CopyTo(content, HeaderBytes);
        bytes.CopyTo(content.AsSpan(HeaderBytes + name.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(content.Length - CrcBytes), Crc32.HashToUInt32(content.AsSpan(..^CrcBytes)));
        DurableFile.WriteBytes(PathOf(folder), content, durable);
    }

    /// <summary>Reads it back.</summary>
    /// <returns>Null when it is missing, damaged, or that of another revision than the manifest names.</returns>
    public static ArchiveIndex? Read(string folder, CopyManifest manifest, ModelName model) =>
        ReadBytes(folder, manifest) is { } bytes
        && ArchiveIndexReader.TryReadFooter(bytes, manifest.BaseLength, out var location)
        && ArchiveIndexReader.TryParse(bytes, location, model, UnpackLimits.Default, out var index)
        && index.TreeDigest.ToString() == manifest.BaseDigest
            ? index
            : null;

    /// <summary>The bytes of the archive that it holds; null as for <see cref="Read"/>.</summary>
    public static byte[]? ReadBytes(string folder, CopyManifest manifest)
    {
        try
        {
            var content = File.ReadAllBytes(PathOf(folder));
            if (content.Length < HeaderBytes + CrcBytes
                || BinaryPrimitives.ReadUInt32LittleEndian(content) != Magic
                || BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(4)) != Version
                || BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(content.Length - CrcBytes)) != Crc32.HashToUInt32(content.AsSpan(..^CrcBytes))
                || BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(8)) != manifest.BaseLength)
            {
                return null;
            }

            var nameBytes = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(16));
            return nameBytes >= 0 && nameBytes <= content.Length - HeaderBytes - CrcBytes
                && Encoding.UTF8.GetString(content, HeaderBytes, nameBytes) == manifest.BaseRevision
                    ? content[(HeaderBytes + nameBytes)..^CrcBytes]
                    : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string PathOf(string folder) => folder + "/index";
}
