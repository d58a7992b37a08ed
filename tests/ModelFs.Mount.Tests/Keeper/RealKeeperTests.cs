using System.Diagnostics;
using System.Globalization;

namespace ModelFs.Mount.Tests.Keeper;

/// <summary>The channel against <c>modelfs-keeper</c> itself, with this assembly as the daemon (<see cref="KeptDaemon"/>).</summary>
[TestFixture]
[CancelAfter(60_000)]
public sealed class RealKeeperTests
{
    private string _folder = "";

    private string MountPoint => Path.Combine(_folder, "mount");

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("modelfs-mount-tests-").FullName;
        Directory.CreateDirectory(MountPoint);
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_killed_daemon_finds_its_mount_and_what_it_saved(CancellationToken cancellation)
    {
        using Process keeper = StartKeeper(KeeperPath());
        try
        {
            string? line = await keeper.StandardOutput.ReadLineAsync(cancellation);
            Assert.That(line, Is.EqualTo($"ready {keeper.Id}"));
            Assert.That(IsMounted(), Is.True);
            int daemon = int.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "pid"), cancellation), CultureInfo.InvariantCulture);
            using (Process victim = Process.GetProcessById(daemon))
            {
                victim.Kill();
            }
            // The second daemon unmounts and ends with 0, and so does the keeper.
            await keeper.WaitForExitAsync(cancellation);
            Assert.That(keeper.ExitCode, Is.Zero);
            string resumed = await File.ReadAllTextAsync(Path.Combine(_folder, "resumed"), cancellation);
            Assert.That(resumed, Does.StartWith($"left by {daemon}; device open; backing "));
            Assert.That(IsMounted(), Is.False);
        }
        finally
        {
            if (!keeper.HasExited)
            {
                keeper.Kill(entireProcessTree: true);
                Unmount();
            }
        }
    }

    [Test]
    public async Task A_mount_point_that_is_missing_is_told_to_who_waits(CancellationToken cancellation)
    {
        Directory.Delete(MountPoint);
        using Process keeper = StartKeeper(KeeperPath());
        string? line = await keeper.StandardOutput.ReadLineAsync(cancellation);
        await keeper.WaitForExitAsync(cancellation);
        Directory.CreateDirectory(MountPoint);
        Assert.That(line, Does.StartWith("error "));
        Assert.That(keeper.ExitCode, Is.EqualTo(1));
    }

    private static string KeeperPath()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "native", "build", "modelfs-keeper");
            if (File.Exists(path))
            {
                if (Environment.UserName != "root" || !File.Exists("/dev/fuse"))
                {
                    Assert.Ignore("Mounting needs root and /dev/fuse.");
                }
                return path;
            }
        }
        Assert.Ignore("native/build/modelfs-keeper was not built: make -C native.");
        throw new UnreachableException();
    }

    private Process StartKeeper(string path)
    {
        ProcessStartInfo start = new(path)
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--mountpoint", MountPoint, "--fsname", "test", "--foreground", "--ready-fd", "1", "--give-up-after", "20",
                "--", Environment.ProcessPath!, "exec", typeof(KeptDaemon).Assembly.Location, _folder,
            },
        };
        return Process.Start(start)!;
    }

    private bool IsMounted() => File.ReadAllText("/proc/self/mountinfo").Contains($" {MountPoint} ", StringComparison.Ordinal);

    private void Unmount()
    {
        using Process unmount = Process.Start("umount", ["-l", MountPoint]);
        unmount.WaitForExit();
    }
}
