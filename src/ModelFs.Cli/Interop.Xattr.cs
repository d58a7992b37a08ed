using System.Runtime.InteropServices;
using System.Text;

namespace ModelFs.Cli;

/// <summary>Extended attributes.</summary>
internal static partial class Interop
{
    [LibraryImport("libc", EntryPoint = "setxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetXattr(string path, string name, ReadOnlySpan<byte> value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "getxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetXattr(string path, string name, Span<byte> value, nuint size);

    /// <summary>Sets an attribute; blocks as long as the file system does.</summary>
    /// <returns>0 or an errno.</returns>
    internal static int SetXattr(string path, string name, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return SetXattr(path, name, bytes, (nuint)bytes.Length, 0) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Asks by reading for what can't be asked for by setting on a read-only mount; blocks as long as the file system does.</summary>
    /// <returns>0 or an errno.</returns>
    internal static int AskByReading(string path, string name, string value)
    {
        const string prefix = "user.modelfs.";
        return GetXattr(path, $"{prefix}ask.{name[prefix.Length..]}={value}", new byte[64], 64) >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Reads an attribute as text, of at most the 64 KiB that Linux allows; null when there is none.</summary>
    internal static string? GetXattr(string path, string name)
    {
        Span<byte> buffer = new byte[64 << 10];
        var length = (int)GetXattr(path, name, buffer, (nuint)buffer.Length);
        return length <= 0 ? null : Encoding.UTF8.GetString(buffer[..length]);
    }
}
