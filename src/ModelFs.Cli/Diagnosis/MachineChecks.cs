using System.Globalization;

namespace ModelFs.Cli.Diagnosis;

/// <summary>What a mount needs of the machine: the kernel's device and version, the helper that mounts for plain users, and the parts of the program.</summary>
/// <param name="services">The world.</param>
internal sealed class MachineChecks(CommandServices services)
{
    private static readonly Version s_oldest = new(5, 4);
    private static readonly Version s_withPassthrough = new(6, 9);

    private Machine Machine => services.Machine;

    /// <summary>Looks at everything.</summary>
    public IEnumerable<Finding> Run()
    {
        yield return Device();
        yield return Kernel();
        yield return Helper();
        yield return OtherUsers();
        yield return Parts();
    }

    private Finding Device()
    {
        const string check = "fuse device";
        try
        {
            using var device = File.OpenHandle(Machine.Device, FileMode.Open, FileAccess.ReadWrite);
            return Finding.Well(check, $"{Machine.Device} can be opened");
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return Finding.Failure(check, $"there is no {Machine.Device}", "load the kernel's module: sudo modprobe fuse; a container needs --device /dev/fuse --cap-add SYS_ADMIN");
        }
        catch (UnauthorizedAccessException)
        {
            return Finding.Failure(check, $"{Machine.Device} can't be opened by this user", $"sudo chmod 0666 {Machine.Device}, the mode that udev gives it; a container needs --device /dev/fuse");
        }
        catch (IOException error)
        {
            return Finding.Failure(check, $"{Machine.Device} can't be opened: {error.Message}", "load the kernel's module: sudo modprobe fuse");
        }
    }

    private Finding Kernel()
    {
        const string check = "kernel";
        var release = ReadLine(Machine.KernelRelease) ?? "";
        if (VersionOf(release) is not { } version)
        {
            return Finding.Warning(check, $"its version is not known ({Machine.KernelRelease} says '{release}')", "look at `uname -r`: 5.4 is the oldest that is served");
        }

        if (version < s_oldest)
        {
            return Finding.Failure(check, $"{release} is too old", "update it: 5.4 is the oldest that is served");
        }

        if (version < s_withPassthrough)
        {
            return Finding.Warning(
                check, $"{release}: reads go through the daemon, and programs get errors if it dies", "6.9 and later read at the speed of the cache's disk and let the daemon be replaced");
        }

        return services.Caller.IsRoot
            ? Finding.Well(check, $"{release}: reads at the speed of the cache's disk, and the daemon can be replaced")
            : Finding.Warning(check, $"{release}: the daemon can be replaced; reads of this user's mounts go through the daemon", "to read at the speed of the cache's disk mount as root, with --user for the daemon");
    }

    private Finding Helper()
    {
        const string check = "fusermount3";
        var folders = (services.Variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (folders.Select(folder => Path.Combine(folder, "fusermount3")).FirstOrDefault(File.Exists) is not { } helper)
        {
            return services.Caller.IsRoot
                ? Finding.Well(check, "not installed; root needs none")
                : Finding.Failure(check, "not installed, and only root mounts without it", "install the package fuse3");
        }

        var isPrivileged = (File.GetUnixFileMode(helper) & UnixFileMode.SetUser) != 0;
        return isPrivileged || services.Caller.IsRoot
            ? Finding.Well(check, helper)
            : Finding.Failure(check, $"{helper} is not set-user-id, so it can't mount for a plain user", $"sudo chmod u+s {helper}, or install the package fuse3 again");
    }

    private Finding OtherUsers()
    {
        const string check = "other users";
        var isAllowed = services.Caller.IsRoot || (File.Exists(Machine.FuseConfiguration) && File.ReadLines(Machine.FuseConfiguration).Any(line => line.Trim() == "user_allow_other"));
        return isAllowed
            ? Finding.Well(check, "may be let in by --allow-other")
            : Finding.Well(check, $"can't be let in: --allow-other takes the line user_allow_other in {Machine.FuseConfiguration}");
    }

    private Finding Parts()
    {
        const string check = "program";
        if (!File.Exists(Path.Combine(Machine.ProgramFolder, "modelfs-keeper")))
        {
            return Finding.Failure(check, $"modelfs-keeper is not in {Machine.ProgramFolder}", "install the folder artifacts/modelfs whole, and link to the program in it");
        }

        return File.Exists(Path.Combine(Machine.ProgramFolder, "libmodelfs.so"))
            ? Finding.Well(check, $"{Machine.ProgramFolder} is complete")
            : Finding.Warning(check, $"libmodelfs.so is not in {Machine.ProgramFolder}: archives are packed and unpacked several times slower", "install the folder artifacts/modelfs whole");
    }

    private static string? ReadLine(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault()?.Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Major and minor number of <c>6.1.0-18-amd64</c>; null when there are none.</summary>
    private static Version? VersionOf(string release)
    {
        var numbers = release.Split('.', '-', '+', '_');
        return numbers.Length >= 2 && int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) && int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new Version(major, minor)
            : null;
    }
}
