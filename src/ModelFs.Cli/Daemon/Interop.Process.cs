using System.Runtime.InteropServices;

namespace ModelFs.Cli.Daemon;

internal static partial class DaemonInterop
{
    /// <summary>umask(2): modes arrive from the kernel with the caller's mask applied, and are to be taken as they are.</summary>
    [LibraryImport("libc", EntryPoint = "umask")]
    internal static partial uint SetUmask(uint mask);
}
