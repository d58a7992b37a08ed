using System.Runtime.Versioning;

// Most of a test's time is waiting for the mounts to settle, so several fixtures run at once even on a small machine.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]
[assembly: SupportedOSPlatform("linux")]
