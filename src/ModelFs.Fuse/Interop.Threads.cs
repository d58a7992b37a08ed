using System.Runtime.InteropServices;

namespace ModelFs.Fuse;

/// <summary>Waking a thread that sleeps in a system call.</summary>
internal static partial class Interop
{
    /// <summary>A signal that is ignored where nobody handles it, so that a stray one does no harm.</summary>
    internal const int SIGURG = 23;

    /// <summary>pthread_self(3).</summary>
    [LibraryImport("libc", EntryPoint = "pthread_self")]
    internal static partial nint CurrentThread();

    /// <summary>pthread_kill(3). The thread must be alive.</summary>
    [LibraryImport("libc", EntryPoint = "pthread_kill")]
    internal static partial int SignalThread(nint thread, int signal);

    /// <summary>Lets SIGURG interrupt system calls (EINTR) and do nothing else.</summary>
    /// <exception cref="IOException">The handler can't be set.</exception>
    internal static unsafe void LetSignalInterrupt()
    {
        // Managed code must not run in a signal's handler. A function of the C library that may, and that does nothing, is getpid.
        // Without SA_RESTART a read that the signal meets ends with EINTR instead of going on to sleep.
        nint library = NativeLibrary.GetMainProgramHandle();
        var action = new SignalAction { Handler = NativeLibrary.GetExport(library, "getpid") };
        if (SetSignalAction(SIGURG, &action, null) != 0)
        {
            throw new IOException($"The handler of SIGURG can't be set: {(FuseErrno)Marshal.GetLastPInvokeError()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "sigaction", SetLastError = true)]
    private static unsafe partial int SetSignalAction(int signal, SignalAction* action, SignalAction* previous);

    /// <summary>struct sigaction of glibc and musl on 64-bit machines: handler @0, mask of 128 bytes @8, flags i32 @136, restorer @144.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 152)]
    private struct SignalAction
    {
        [FieldOffset(0)]
        internal nint Handler;
    }
}
