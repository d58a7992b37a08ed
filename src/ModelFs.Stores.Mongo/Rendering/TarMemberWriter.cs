using System.Globalization;
using System.Text;
using ModelFs.Models;
using ModelFs.Stores.Mongo.Documents;

namespace ModelFs.Stores.Mongo.Rendering;

/// <summary>
/// Writes members of an uncompressed tar, so that the same file always gives the same bytes: USTAR headers with owner 0/0, and a PAX header in
/// front where USTAR can't say the name or a fraction of a second.
/// </summary>
/// <remarks>System.Formats.Tar writes its process's id into PAX headers; a revision made of its bytes would differ between processes.</remarks>
/// <param name="output">Where the members go.</param>
internal sealed class TarMemberWriter(Stream output)
{
    private const int BlockBytes = 512;
    private const int NameBytes = 100;
    private const string PaxName = "././@PaxHeader";
    private const long SecondsMax = 0x1_ffff_ffff; // eleven octal digits

    /// <summary>Writes one file or folder under <c>./</c>.</summary>
    internal void Write(ModelFile file)
    {
        var name = file.Path == "/" ? "./" : "./" + file.Path;
        var records = Records(name, file.Modified);
        if (records.Length > 0)
        {
            WriteHeader(PaxName, 'x', ModelFile.DefaultFileMode, records.Length, 0);
            WritePadded(records);
        }

        WriteHeader(name, file.IsFolder ? '5' : '0', file.Mode, file.Content.Length, Math.Clamp(file.Modified.Seconds, 0, SecondsMax));
        WritePadded(file.Content.Span);
    }

    /// <summary>Ends the archive.</summary>
    internal void Finish() => output.Write(new byte[2 * BlockBytes]);

    private static byte[] Records(string name, UnixTime time)
    {
        var records = new StringBuilder();
        if (time.Nanoseconds != 0 || time.Seconds is < 0 or > SecondsMax)
        {
            Append(records, "mtime", Format(time));
        }

        if (name.Length > NameBytes || !Ascii.IsValid(name))
        {
            Append(records, "path", name);
        }

        return Encoding.UTF8.GetBytes(records.ToString());
    }

    /// <summary>A record starts with its own length in bytes, its digits included.</summary>
    private static void Append(StringBuilder records, string key, string value)
    {
        var rest = Encoding.UTF8.GetByteCount(value) + key.Length + 3;
        var length = rest + 1;
        while (rest + length.ToString(CultureInfo.InvariantCulture).Length != length)
        {
            length++;
        }

        records.Append(CultureInfo.InvariantCulture, $"{length} {key}={value}\n");
    }

    private static string Format(UnixTime time)
    {
        var nanoseconds = ((Int128)time.Seconds * 1_000_000_000) + time.Nanoseconds;
        var sign = nanoseconds < 0 ? "-" : "";
        var (seconds, rest) = Int128.DivRem(Int128.Abs(nanoseconds), 1_000_000_000);
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{seconds}.{(int)rest:d9}");
    }

    private void WriteHeader(string name, char type, int mode, long size, long seconds)
    {
        Span<byte> block = stackalloc byte[BlockBytes];
        block.Clear();
        for (var i = 0; i < Math.Min(name.Length, NameBytes); i++)
        {
            block[i] = char.IsAscii(name[i]) ? (byte)name[i] : (byte)'?';
        }

        PutOctal(block.Slice(100, 8), mode);
        PutOctal(block.Slice(108, 8), 0);
        PutOctal(block.Slice(116, 8), 0);
        PutOctal(block.Slice(124, 12), size);
        PutOctal(block.Slice(136, 12), seconds);
        block.Slice(148, 8).Fill((byte)' ');
        block[156] = (byte)type;
        "ustar\0"u8.CopyTo(block.Slice(257, 6));
        "00"u8.CopyTo(block.Slice(263, 2));
        var sum = 0;
        foreach (var value in block)
        {
            sum += value;
        }

        PutOctal(block.Slice(148, 7), sum);
        output.Write(block);
    }

    private void WritePadded(ReadOnlySpan<byte> content)
    {
        output.Write(content);
        output.Write(new byte[-content.Length & (BlockBytes - 1)]);
    }

    private static void PutOctal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--)
        {
            field[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }

        field[^1] = 0;
    }
}
