using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount.Keeper;

/// <summary>The socket calls of the C library that .NET has no equivalent for: packets that carry descriptors.</summary>
internal static unsafe partial class Interop
{
    internal const int SolSocket = 1;
    internal const int SoType = 3;
    internal const int SoDomain = 39;
    internal const int AfUnix = 1;
    internal const int SockSeqpacket = 5;
    internal const int ScmRights = 1;
    internal const int MsgNoSignal = 0x4000;
    internal const int MsgCmsgCloexec = 0x40000000;
    internal const int ShutReadWrite = 2;
    internal const int FSetFd = 2;
    internal const int FdCloexec = 1;

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr of a 64-bit system; musl's narrower lengths are the low halves of these.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>A control message with exactly one descriptor: struct cmsghdr, the number, padding to 8 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct DescriptorControl
    {
        /// <summary>Bytes that count: the header and the number, without the padding.</summary>
        public const int UsedLength = 8 + 4 + 4 + 4;

        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }

    /// <summary>sendmsg(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint SendMessage(SafeFileHandle socket, MessageHeader* message, int flags);

    /// <summary>recvmsg(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint ReceiveMessage(SafeFileHandle socket, MessageHeader* message, int flags);

    /// <summary>shutdown(2). -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    internal static partial int Shutdown(SafeFileHandle socket, int how);

    /// <summary>getsockopt(2) of an int. -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetSocketOption(int socket, int level, int name, int* value, uint* length);

    /// <summary>fcntl(2) with an int. -1 sets errno.</summary>
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(int descriptor, int command, int argument);
}
