using System.Runtime.InteropServices;

namespace ModelFs.Cli;

/// <summary>System calls about mounts and paths.</summary>
internal static partial class Interop
{
    /// <summary>Take the mount out of the tree now, end it when nobody uses it any more.</summary>
    internal const int MNT_DETACH = 2;

    /// <summary>umount2(2). Errno is kept for <see cref="Marshal.GetLastPInvokeError"/>.</summary>
    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unmount2(string target, int flags);

    /// <summary>realpath(3) with a result that malloc(3) made; free it by <see cref="Free"/>.</summary>
    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);

    /// <summary>Resolves all symbolic links of a path; null when a part of it can't be looked at.</summary>
    internal static string? RealPath(string path)
    {
        var result = RealPath(path, 0);
        if (result == 0)
        {
            return null;
        }

        var text = Marshal.PtrToStringUTF8(result);
        Free(result);
        return text;
    }
}
