using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ModelFs.Cli.Control;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Mounts;

/// <summary>The mounts of the machine that the program runs on.</summary>
/// <param name="program">The path of this program, started again to wait for the store in a process that can be ended.</param>
internal sealed class LinuxMountHost(string program) : IMountHost
{
    private const string KeeperName = "modelfs-keeper";
    private static readonly TimeSpan s_statusTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_holderScan = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_killGrace = TimeSpan.FromSeconds(5);

    public IReadOnlyList<MountEntry> List() => MountEntry.ParseAll(File.ReadAllText("/proc/self/mountinfo"));

    public string RealPath(string absolutePath)
    {
        if (Interop.RealPath(absolutePath) is { } resolved)
        {
            return resolved;
        }

        // The last part may be a dead mount, which can't be looked at; the folders above it can.
        var parent = Path.GetDirectoryName(absolutePath);
        return parent is not null && Interop.RealPath(parent) is { } folder ? Path.Combine(folder, Path.GetFileName(absolutePath)) : absolutePath;
    }

    public async Task<StatusReading> ReadStatusAsync(string mountPoint)
    {
        // A read from a hung mount never ends: it is left to a thread of its own, which ends with the process.
        var reading = Task.Factory.StartNew(() => ReadStatus(mountPoint), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await reading.WaitAsync(s_statusTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new StatusReading(null, StatusFailure.Silent);
        }
    }

    public Task<int> WaitForStoreAsync(string mountPoint, string? model, CancellationToken cancellationToken) =>
        AskAsync(Path.Combine(mountPoint, StatusReport.PathInMount), "user.modelfs.sync", model ?? "1", cancellationToken);

    public async Task<int> AskAsync(string path, string attribute, string value, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add(SetAttributeCommand.Name);
        start.ArgumentList.Add(path);
        start.ArgumentList.Add(attribute);
        start.ArgumentList.Add(value);
        using var process = Process.Start(start) ?? throw CommandException.Failure($"{program} could not be started");
        try
        {
            var answer = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var errno) ? errno : Errno.EINTR;
        }
        catch (OperationCanceledException)
        {
            process.Kill();

            // Until it has ended it holds the mount.
            await Task.WhenAny(process.WaitForExitAsync(CancellationToken.None), Task.Delay(s_killGrace, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
    }

    public async Task<(int Errno, string? Report)> VerifyAsync(string mountPoint, string model, bool repair, CancellationToken cancellationToken)
    {
        const string attribute = "user.modelfs.verify";
        var request = (repair ? "repair " : "check ") + model;

        var errno = await AskAsync(Path.Combine(mountPoint, StatusReport.PathInMount), attribute, request, cancellationToken).ConfigureAwait(false);
        return (errno, errno == 0 ? Interop.GetXattr(Path.Combine(mountPoint, model), attribute) : null);
    }

    public Task<string> ReadTextAsync(string path, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => File.ReadAllText(path, Encoding.UTF8), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(cancellationToken);

    public string? LastErrorOf(string path) => Interop.GetXattr(path, "user.modelfs.last_error");

    public int Unmount(string mountPoint, bool lazy)
    {
        if (Interop.Unmount2(mountPoint, lazy ? Interop.MNT_DETACH : 0) == 0)
        {
            return 0;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Errno.EPERM ? UnmountAsUser(mountPoint, lazy) : errno;
    }

    public IReadOnlyList<MountHolder> HoldersOf(string mountPoint) => HolderScan.RunWithin(s_holderScan, "/proc", mountPoint);

    public int? FindKeeper(string mountPoint)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && IsKeeperRunning(pid)
                && IsKeeperOf(process, mountPoint))
            {
                return pid;
            }
        }

        return null;
    }

    public void StopKeeper(int pid)
    {
        if (IsKeeperRunning(pid))
        {
            _ = Interop.SendSignal(pid, Interop.SIGTERM);
        }
    }

    public bool IsKeeperRunning(int pid)
    {
        try
        {
            // pid (name) state …: a zombie has ended, only nobody has asked for its exit code.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat.Contains($"({KeeperName})", StringComparison.Ordinal) && !stat.Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool IsKeeperOf(string process, string mountPoint)
    {
        try
        {
            var arguments = File.ReadAllText(process + "/cmdline").Split('\0');
            var flag = Array.IndexOf(arguments, "--mountpoint");
            return flag >= 0 && flag + 1 < arguments.Length && arguments[flag + 1] == mountPoint;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static StatusReading ReadStatus(string mountPoint)
    {
        try
        {
            return new StatusReading(File.ReadAllText(Path.Combine(mountPoint, StatusReport.PathInMount), Encoding.UTF8), default);
        }
        catch (UnauthorizedAccessException)
        {
            return new StatusReading(null, StatusFailure.Denied);
        }
        catch (IOException exception)
        {
            // .NET passes the errno of an error that it has no type for in HResult.
            return new StatusReading(null, exception.HResult is Errno.ENOTCONN ? StatusFailure.Dead : StatusFailure.Unreadable);
        }
    }

    private static int UnmountAsUser(string mountPoint, bool lazy)
    {
        var start = new ProcessStartInfo("fusermount3") { RedirectStandardError = true, UseShellExecute = false };
        start.Environment["LC_ALL"] = "C";
        start.ArgumentList.Add("-u");
        if (lazy)
        {
            start.ArgumentList.Add("-z");
        }

        start.ArgumentList.Add(mountPoint);
        try
        {
            using var process = Process.Start(start);
            var error = process!.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? 0 : error.Contains("busy", StringComparison.Ordinal) ? Errno.EBUSY : Errno.EPERM;
        }
        catch (Win32Exception)
        {
            throw CommandException.Failure("fusermount3 is not installed, and only root can unmount without it: install the package fuse3, or run this as root");
        }
    }
}
