using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount;

/// <summary>Who may register files with the kernel for passthrough: needs CAP_SYS_ADMIN, so it is the keeper.</summary>
public interface IBackingFiles
{
    /// <summary>Registers a file for a node; a node that has an id keeps it.</summary>
    /// <returns>The id.</returns>
    /// <exception cref="IOException">The kernel refused; the message says why.</exception>
    int Open(ulong nodeId, SafeFileHandle file);

    /// <summary>Gives a node's registration up; nothing happens when it has none. Not waited for: an <see cref="Open"/> that is called afterwards comes after it.</summary>
    void Close(ulong nodeId);
}
