using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace ModelFs.Benchmarks;

/// <summary>Micro-benchmarks of single stages; see <c>scripts/bench micro</c>. The only argument is the folder for the reports.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        // In this process: the classes that are measured are internal, and a program that BenchmarkDotNet generates may not use them.
        var config = DefaultConfig.Instance
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .WithArtifactsPath(arguments[0])
            .WithOptions(ConfigOptions.DisableLogFile);
        var summaries = BenchmarkRunner.Run([typeof(InflateBenchmarks), typeof(TarBenchmarks), typeof(FuseRequestBenchmarks)], config);
        return Array.Exists(summaries, summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;
    }
}
