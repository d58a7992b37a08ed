using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Cli;

/// <summary>Users, descriptors and programs.</summary>
internal static partial class Interop
{
    private const int O_CLOEXEC = 0x80000;
    private const int F_SETFD = 2;

    internal const int SIGTERM = 15;

    /// <summary>geteuid(2).</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint GetEffectiveUserId();

    /// <summary>getegid(2).</summary>
    [LibraryImport("libc", EntryPoint = "getegid")]
    internal static partial uint GetEffectiveGroupId();

    /// <summary>kill(2).</summary>
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int SendSignal(int pid, int signal);

    /// <summary>chown(2).</summary>
    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeOwner(string path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "getpwnam", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetPasswordEntry(string name);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static unsafe partial int Pipe2(int* descriptors, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlDescriptor(SafeFileHandle descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);

    [LibraryImport("libc", EntryPoint = "setenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    /// <summary>The head of struct passwd; the same in glibc and musl on 64-bit machines.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PasswordEntry
    {
        public nint Name;
        public nint Password;
        public uint Uid;
        public uint Gid;
    }

    /// <summary>Looks a user up in all the machine's user databases; null when there is none of that name.</summary>
    internal static unsafe (uint Uid, uint Gid)? FindUser(string name)
    {
        var entry = (PasswordEntry*)GetPasswordEntry(name);
        return entry is null ? null : (entry->Uid, entry->Gid);
    }

    /// <summary>Makes a pipe whose write end is inherited by child processes and whose read end is not.</summary>
    internal static unsafe (SafeFileHandle Read, SafeFileHandle Write) OpenInheritedPipe()
    {
        var ends = stackalloc int[2];
        if (Pipe2(ends, O_CLOEXEC) != 0)
        {
            throw new IOException("no pipe could be made: " + Marshal.GetLastPInvokeErrorMessage());
        }

        var pipe = (Read: new SafeFileHandle(ends[0], ownsHandle: true), Write: new SafeFileHandle(ends[1], ownsHandle: true));
        _ = ControlDescriptor(pipe.Write, F_SETFD, 0);
        return pipe;
    }

    /// <summary>Becomes another program, in the same process. Returns only on failure, with the errno.</summary>
    internal static int Replace(string path, IReadOnlyList<string> arguments, string variable, string value)
    {
        // .NET's own Environment is a copy; execv hands on the C library's.
        return SetVariable(variable, value, 1) != 0 || Execute(path, [path, .. arguments, null]) != 0 ? Marshal.GetLastPInvokeError() : 0;
    }
}
