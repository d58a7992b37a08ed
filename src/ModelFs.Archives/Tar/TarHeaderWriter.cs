using System.Buffers;
using System.Globalization;
using System.Text;
using ModelFs.Models;

namespace ModelFs.Archives.Tar;

/// <summary>
/// Writes member headers. A plain USTAR header where it can say everything, which every reader since 1988 understands; in front of it a PAX header
/// (as Python 3.8 and later write) for what it can't: fractions of a second, names that are long or not ASCII, files of 8 GiB and more.
/// Owner is 0/0 without names. The same entry always gives the same bytes.
/// </summary>
internal static class TarHeaderWriter
{
    private const int NameBytes = 100;
    private const int PrefixBytes = 155;
    private const long OctalMax = 0x1_ffff_ffff; // eleven octal digits
    private const string PaxHeaderName = "././@PaxHeader";

    private static readonly byte[] s_zeros = new byte[TarHeader.BlockBytes];

    /// <summary>Appends the headers of <paramref name="entry"/> under <paramref name="memberName"/> (with a trailing slash for folders).</summary>
    public static void Write(string memberName, TreeEntry entry, ArrayBufferWriter<byte> output)
    {
        var records = new ArrayBufferWriter<byte>();
        var link = entry.LinkTarget ?? "";
        var seconds = entry.ModifiedTime.Seconds;
        if (!IsPlain(link, NameBytes))
        {
            AppendRecord(records, "linkpath", link);
        }

        if (entry.ModifiedTime.Nanoseconds != 0 || seconds is < 0 or > OctalMax)
        {
            AppendRecord(records, "mtime", Format(entry.ModifiedTime));
        }

        if (!TrySplit(memberName, out var prefix, out var name))
        {
            AppendRecord(records, "path", memberName);
        }

        if (entry.Size > OctalMax)
        {
            AppendRecord(records, "size", entry.Size.ToString(CultureInfo.InvariantCulture));
        }

        if (records.WrittenCount > 0)
        {
            AppendHeader(output, "", PaxHeaderName, 'x', 0x1a4, records.WrittenCount, 0, ""); // 0644
            output.Write(records.WrittenSpan);
            output.Write(Padding(records.WrittenCount));
        }

        var size = entry.Size > OctalMax ? 0 : entry.Size;
        AppendHeader(output, prefix, name, TypeFlag(entry.Type), entry.Mode & 0x1ff, size, Math.Clamp(seconds, 0, OctalMax), link);
    }

    /// <summary>The zeros between content of <paramref name="size"/> bytes and the next block.</summary>
    public static ReadOnlySpan<byte> Padding(long size) => s_zeros.AsSpan(0, (int)(-size & (TarHeader.BlockBytes - 1)));

    private static char TypeFlag(TreeEntryType type) => type switch
    {
        TreeEntryType.File => '0',
        TreeEntryType.SymbolicLink => '2',
        TreeEntryType.Directory => '5',
    };

    private static bool IsPlain(string text, int bytesMax) => text.Length <= bytesMax && Ascii.IsValid(text);

    /// <summary>Splits a name at a slash into USTAR's prefix and name. False when PAX must carry it; the parts then are what is left for readers that know no PAX.</summary>
    private static bool TrySplit(string memberName, out string prefix, out string name)
    {
        prefix = "";
        name = memberName;
        if (IsPlain(memberName, NameBytes))
        {
            return true;
        }

        if (IsPlain(memberName, NameBytes + 1 + PrefixBytes))
        {
            // The shortest prefix that leaves a name of 100 bytes; the slash at a folder's end belongs to its name.
            var slash = memberName.IndexOf('/', memberName.Length - NameBytes - 1);
            if (slash > 0 && slash <= PrefixBytes && slash < memberName.Length - 1)
            {
                prefix = memberName[..slash];
                name = memberName[(slash + 1)..];
                return true;
            }
        }

        name = memberName.Length <= NameBytes ? memberName : memberName[..NameBytes];
        return false;
    }

    private static string Format(UnixTime time)
    {
        var (seconds, nanoseconds) = (time.Seconds, time.Nanoseconds);
        var sign = seconds < 0 ? "-" : "";
        if (seconds < 0 && nanoseconds > 0)
        {
            (seconds, nanoseconds) = (seconds + 1, 1_000_000_000 - nanoseconds);
        }

        var whole = sign + Math.Abs(seconds).ToString(CultureInfo.InvariantCulture);
        return nanoseconds == 0 ? whole : whole + "." + nanoseconds.ToString("d9", CultureInfo.InvariantCulture).TrimEnd('0');
    }

    /// <summary>A record starts with its own length in bytes, its digits included.</summary>
    private static void AppendRecord(ArrayBufferWriter<byte> records, string key, string value)
    {
        var rest = Encoding.UTF8.GetByteCount(value) + key.Length + 3;
        var length = rest;
        for (var digits = 0; digits != Digits(length);)
        {
            digits = Digits(length);
            length = rest + digits;
        }

        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {key}={value}\n"), records);
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private static void AppendHeader(
        ArrayBufferWriter<byte> output, string prefix, string name, char type, int mode, long size, long seconds, string link)
    {
        var block = output.GetSpan(TarHeader.BlockBytes)[..TarHeader.BlockBytes];
        block.Clear();
        PutAscii(block[..NameBytes], name);
        PutOctal(block.Slice(100, 8), mode);
        PutOctal(block.Slice(108, 8), 0);
        PutOctal(block.Slice(116, 8), 0);
        PutOctal(block.Slice(124, 12), size);
        PutOctal(block.Slice(136, 12), seconds);
        block.Slice(148, 8).Fill((byte)' ');
        block[156] = (byte)type;
        PutAscii(block.Slice(157, NameBytes), link);
        "ustar\0"u8.CopyTo(block.Slice(257, 6));
        "00"u8.CopyTo(block.Slice(263, 2));
        PutOctal(block.Slice(329, 8), 0);
        PutOctal(block.Slice(337, 8), 0);
        PutAscii(block.Slice(345, PrefixBytes), prefix);
        var sum = 0;
        foreach (var value in block)
        {
            sum += value;
        }

        PutOctal(block.Slice(148, 7), sum);
        output.Advance(TarHeader.BlockBytes);
    }

    /// <summary>What is not ASCII becomes <c>?</c>: the PAX header has the real name.</summary>
    private static void PutAscii(Span<byte> field, string text)
    {
        for (var i = 0; i < Math.Min(field.Length, text.Length); i++)
        {
            field[i] = char.IsAscii(text[i]) ? (byte)text[i] : (byte)'?';
        }
    }

    /// <summary>Octal digits with leading zeros and a NUL at the end.</summary>
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
