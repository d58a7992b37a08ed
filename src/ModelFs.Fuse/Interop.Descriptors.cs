using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Fuse;

/// <summary>The system calls of the C library that this project makes.</summary>
internal static partial class Interop
{
    /// <summary>read(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static unsafe partial nint Read(SafeFileHandle descriptor, byte* buffer, nuint count);

    /// <summary>write(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static unsafe partial nint Write(SafeFileHandle descriptor, byte* buffer, nuint count);
}
