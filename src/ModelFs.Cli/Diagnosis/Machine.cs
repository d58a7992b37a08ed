namespace ModelFs.Cli.Diagnosis;

/// <summary>Where the machine tells what a mount needs of it. A seam: tests show another machine.</summary>
internal sealed record Machine
{
    /// <summary>The machine that this program runs on.</summary>
    public static Machine OfThisProcess { get; } = new();

    /// <summary>The kernel's device for file systems like this one.</summary>
    public string Device { get; init; } = "/dev/fuse";

    /// <summary>The kernel's version, as <c>uname -r</c> tells it.</summary>
    public string KernelRelease { get; init; } = "/proc/sys/kernel/osrelease";

    /// <summary>What plain users may mount.</summary>
    public string FuseConfiguration { get; init; } = "/etc/fuse.conf";

    /// <summary>Holds the program and what belongs beside it.</summary>
    public string ProgramFolder { get; init; } = AppContext.BaseDirectory;
}
