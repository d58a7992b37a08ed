using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Fuse;

/// <summary>The system calls of the C library that this project makes.</summary>
internal static partial class Interop
{
    /// <summary>read(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static unsafe partial nint Read(SafeFileHandle descriptor, byte* buffer, nuint count);

    /// <summary>poll(2) of one descriptor. 0 when nothing happened in time.</summary>
    [LibraryImport("libc", EntryPoint = "poll")]
    internal static unsafe partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    /// <summary>write(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static unsafe partial nint Write(SafeFileHandle descriptor, byte* buffer, nuint count);

    /// <summary>The kernel's <c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        internal int Descriptor;
        internal short Events;
        internal short Happened;
    }
}
