namespace ModelFs.FunctionalTests.Harness;

/// <summary>What a machine must have for a test; without it the test is skipped by name, with the reason.</summary>
internal static class Requires
{
    public static void Root()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("needs root");
        }
    }

    /// <summary>A FUSE mount is possible here.</summary>
    public static void Fuse()
    {
        if (!File.Exists("/dev/fuse"))
        {
            Assert.Ignore("needs /dev/fuse: the kernel's fuse module is not loaded, or the container was not given the device");
        }

        try
        {
            using var device = File.OpenHandle("/dev/fuse", FileMode.Open, FileAccess.ReadWrite);
        }
        catch (UnauthorizedAccessException)
        {
            Assert.Ignore("needs read and write access to /dev/fuse for this user (usual mode: 0666)");
        }
    }

    /// <summary>A program of the system; scripts/packages lists the package that brings it.</summary>
    public static void Tool(string path)
    {
        if (!File.Exists(path))
        {
            Assert.Ignore($"needs {path}: scripts/packages require test");
        }
    }

    /// <summary>A kernel of that version or a later one.</summary>
    public static void Kernel(Version version, string what)
    {
        if (Environment.OSVersion.Version < version)
        {
            Assert.Ignore($"needs a kernel that {what} ({version} or newer)");
        }
    }

    /// <summary>The kernel lets programs read cache files without the daemon.</summary>
    public static void Passthrough(MountedStore mount)
    {
        if (!mount.Status().Passthrough)
        {
            Assert.Ignore("needs passthrough: kernel 6.9 or newer, and root");
        }
    }

    /// <summary>The kernel can hand an open session to a restarted daemon.</summary>
    public static void Resume(MountedStore mount)
    {
        if (!mount.Status().CanResume)
        {
            Assert.Ignore("needs a kernel that can resend requests (6.9 or newer)");
        }
    }
}
