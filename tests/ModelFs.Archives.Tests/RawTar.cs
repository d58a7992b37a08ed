using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace ModelFs.Archives.Tests;

/// <summary>Writes tars that no honest tool writes, header by header.</summary>
internal sealed class RawTar
{
    private readonly List<byte> _tar = [];

    public RawTar Add(string name, char type = '0', string content = "", string link = "", int mode = 0x1a4, long? size = null) =>
        Add(Encoding.UTF8.GetBytes(name), type, content, link, mode, size);

    public RawTar Add(byte[] name, char type = '0', string content = "", string link = "", int mode = 0x1a4, long? size = null)
    {
        var block = new byte[512];
        name.AsSpan(0, Math.Min(name.Length, 100)).CopyTo(block);
        Octal(block.AsSpan(100, 8), mode);
        Octal(block.AsSpan(124, 12), size ?? Encoding.UTF8.GetByteCount(content));
        Octal(block.AsSpan(136, 12), 1_700_000_000);
        block[156] = (byte)type;
        Encoding.UTF8.GetBytes(link).CopyTo(block, 157);
        "ustar\0"u8.CopyTo(block.AsSpan(257));
        block.AsSpan(148, 8).Fill((byte)' ');
        Octal(block.AsSpan(148, 7), block.Sum(value => value));
        _tar.AddRange(block);
        _tar.AddRange(Encoding.UTF8.GetBytes(content));
        _tar.AddRange(new byte[-_tar.Count & 511]);
        return this;
    }

    /// <summary>A PAX header for the member that follows.</summary>
    public RawTar Pax(params (string Key, string Value)[] records) => Add("pax", 'x', string.Concat(records.Select(record => Record(record.Key, record.Value))));

    public RawTar Raw(params byte[] bytes)
    {
        _tar.AddRange(bytes);
        return this;
    }

    public byte[] Tar() => [.. _tar, .. new byte[1024]];

    public byte[] Gzip() => Gzip(Tar());

    public static byte[] Gzip(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(data);
        }

        return packed.ToArray();
    }

    private static string Record(string key, string value)
    {
        var rest = $" {key}={value}\n";
        var length = Encoding.UTF8.GetByteCount(rest);
        length += (length + 2).ToString(CultureInfo.InvariantCulture).Length;
        return length.ToString(CultureInfo.InvariantCulture) + rest;
    }

    private static void Octal(Span<byte> field, long value) =>
        Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(field.Length - 1, '0')).CopyTo(field);
}
