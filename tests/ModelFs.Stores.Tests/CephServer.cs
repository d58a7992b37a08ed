using System.Diagnostics;

namespace ModelFs.Stores.Tests;

/// <summary>The real S3 server of this test run, started by the first test that needs it and stopped at the end of all.</summary>
[SetUpFixture]
internal sealed class CephServer
{
    private static readonly Lazy<CephServer> Started = new(() => new CephServer(start: true));
    private readonly TemporaryFolder? _folder;
    private readonly Dictionary<string, string> _variables = [];
    private readonly string? _problem;

    public CephServer()
    {
    }

    private CephServer(bool start)
    {
        Assert.That(start, Is.True);
        _folder = new TemporaryFolder();
        var (exitCode, output) = Run("start", _folder.Path, "--tls");
        if (exitCode != 0)
        {
            _problem = output;
            return;
        }

        foreach (var line in File.ReadLines(Path.Combine(_folder.Path, "env")))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            _variables[line[..at]] = line[(at + 1)..];
        }
    }

    public static string Endpoint => Variable("S3_ENDPOINT");

    public static string TlsEndpoint => Variable("S3_TLS_ENDPOINT");

    public static string CaFile => Variable("S3_CA_FILE");

    public static string OtherCaFile => Variable("S3_OTHER_CA_FILE");

    public static Func<string, string?> Owner => Credentials(Variable("S3_ACCESS_KEY"), Variable("S3_SECRET_KEY"));

    public static Func<string, string?> Stranger => Credentials(Variable("S3_OTHER_ACCESS_KEY"), Variable("S3_OTHER_SECRET_KEY"));

    /// <summary>An environment that holds these credentials and nothing else of this machine.</summary>
    public static Func<string, string?> Credentials(string accessKey, string secretKey) => name => name switch
    {
        "AWS_ACCESS_KEY_ID" => accessKey,
        "AWS_SECRET_ACCESS_KEY" => secretKey,
        "HOME" => "/nonexistent",
        "AWS_EC2_METADATA_DISABLED" => "true",
        _ => null,
    };

    [OneTimeTearDown]
    public void Stop()
    {
        if (Started.IsValueCreated && Started.Value._folder is { } folder)
        {
            Run("stop", folder.Path);
            folder.Dispose();
        }
    }

    private static string Variable(string name)
    {
        if (Started.Value._problem is { } problem)
        {
            Assert.Ignore($"no S3 server: {problem}");
        }

        return Started.Value._variables[name];
    }

    private static (int ExitCode, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(RepositoryRoot(), "scripts", "servers", "ceph-rgw"), arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    public static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ModelFs.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("the tests run outside of the repository");
        }

        return folder.FullName;
    }
}
