using Microsoft.Win32.SafeHandles;
using ModelFs.Mount;
using ModelFs.Mount.Keeper;

namespace ModelFs.Cli.Daemon;

/// <summary>Registers backing files through the keeper, which has the right to and outlives this process.</summary>
internal sealed class KeeperBackingFiles(KeeperChannel keeper) : IBackingFiles
{
    public int Open(ulong nodeId, SafeFileHandle file) => keeper.BackingOpen(nodeId, file);

    public void Close(ulong nodeId)
    {
        try
        {
            keeper.PostBackingClose(nodeId);
        }
        catch (KeeperException)
        {
            // The keeper is gone, and the registrations with it.
        }
    }
}
