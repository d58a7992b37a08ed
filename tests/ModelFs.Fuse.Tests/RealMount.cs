using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Fuse.Tests;

/// <summary>A mount of a file system of the tests on an empty folder, taken away again whatever happens.</summary>
internal sealed class RealMount : IAsyncDisposable
{
    private readonly List<Task<FuseSessionEnd>> running = [];
    private bool isMounted;

    private RealMount(SafeFileHandle device, string folder)
    {
        Device = device;
        Folder = folder;
    }

    internal SafeFileHandle Device { get; }

    internal string Folder { get; }

    internal FuseSession Session { get; private set; } = null!;

    internal static async Task<RealMount> StartAsync(IFuseOperations operations, RecordingLog log)
    {
        if (Interop.EffectiveUserId() != 0)
        {
            Assert.Ignore("Only root can mount by mount(2).");
        }

        int descriptor = Interop.Open("/dev/fuse", Interop.ReadWriteCloseOnExec);
        if (descriptor < 0)
        {
            Assert.Ignore($"/dev/fuse can't be opened: errno {Marshal.GetLastPInvokeError()}.");
        }

        var mount = new RealMount(new SafeFileHandle(descriptor, ownsHandle: true), Directory.CreateTempSubdirectory("modelfs-fuse-").FullName);
        string data = $"fd={descriptor},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other";
        if (Interop.Mount("modelfs-test", mount.Folder, "fuse.modelfs-test", Interop.NoSuidNoDev, data) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            await mount.DisposeAsync();
            Assert.Ignore($"mount(2) is refused here: errno {errno}.");
        }

        mount.isMounted = true;
        mount.Session = new FuseSession(mount.Device, operations, new FuseSessionOptions(), log);
        await mount.Session.InitializeAsync().WaitAsync(FakeKernel.Patience);
        mount.running.Add(mount.Session.RunAsync());
        return mount;
    }

    /// <summary>Another session takes over the mount, as a restarted daemon does.</summary>
    internal async Task<FuseNegotiated> TakeOverAsync(IFuseOperations operations, RecordingLog log)
    {
        FuseNegotiated negotiated = FuseNegotiated.FromBytes(Session.Negotiated.ToBytes());
        Session.Stop();
        Assert.That(await running[^1].WaitAsync(FakeKernel.Patience), Is.EqualTo(FuseSessionEnd.Stopped));
        Session.Dispose();
        Session = new FuseSession(Device, operations, new FuseSessionOptions(), log);
        Session.Resume(negotiated);
        running.Add(Session.RunAsync());
        return negotiated;
    }

    internal string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Runs a shell line with the mount as its folder.</summary>
    internal async Task<string> ShellAsync(string line)
    {
        using Process shell = StartShell(line);
        Task<string> errors = shell.StandardError.ReadToEndAsync();
        string output = await shell.StandardOutput.ReadToEndAsync().WaitAsync(FakeKernel.Patience);
        await shell.WaitForExitAsync().WaitAsync(FakeKernel.Patience);
        Assert.That(shell.ExitCode, Is.Zero, await errors);
        return output;
    }

    internal Process StartShell(string line) =>
        Process.Start(new ProcessStartInfo("/bin/sh", ["-c", line])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    internal async Task<FuseSessionEnd> UnmountAsync()
    {
        Assert.That(Interop.Unmount(Folder, 0), Is.Zero, $"errno {Marshal.GetLastPInvokeError()}");
        isMounted = false;
        return await running[^1].WaitAsync(FakeKernel.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (isMounted)
        {
            Interop.Unmount(Folder, Interop.LazyDetach);
        }

        // Closing the last descriptor aborts what is left; a reader that still sleeps holds it open, so it is woken first.
        Session?.Stop();
        await Task.WhenAll(running).WaitAsync(FakeKernel.Patience);
        Session?.Dispose();
        Device.Dispose();
        Directory.Delete(Folder);
    }
}
