using System.Runtime.Versioning;

// Most of a round is waiting: for a mount to settle, for a daemon to start.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]
[assembly: SupportedOSPlatform("linux")]
