using System.Runtime.InteropServices;

namespace ModelFs.FileSystem;

/// <summary>Shared memory over a file (mmap(2)).</summary>
internal static partial class Interop
{
    internal const int ProtRead = 1;
    internal const int ProtWrite = 2;
    internal const int MapShared = 1;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint mmap(nint address, nint length, int protection, int flags, SafeHandle file, long offset);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int munmap(nint address, nint length);
}
