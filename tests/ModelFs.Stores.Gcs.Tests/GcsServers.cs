using ModelFs.GcsFake;

namespace ModelFs.Stores.Gcs.Tests;

/// <summary>The servers of this test run, started by the first test that needs them and stopped at the end of all.</summary>
[SetUpFixture]
internal sealed class GcsServers
{
    private static readonly Lazy<Task<GcsFakeServer>> s_open = new(() => GcsFakeServer.StartAsync(new GcsFakeOptions()));
    private static readonly Lazy<Task<GcsFakeServer>> s_guarded = new(() => GcsFakeServer.StartAsync(new GcsFakeOptions { RequiresToken = true, UsesTls = true }));
    private static readonly Lazy<TemporaryFolder> s_folder = new(() => new TemporaryFolder());
    private static int _names;

    /// <summary>Wants a token, speaks https.</summary>
    public static Task<GcsFakeServer> GuardedAsync() => s_guarded.Value;

    /// <summary>The emulator that the environment names, or else the fake without tokens.</summary>
    public static async Task<string> EmulatorAsync() =>
        Environment.GetEnvironmentVariable("STORAGE_EMULATOR_HOST") is { Length: > 0 } host ? host : (await s_open.Value).Endpoint;

    public static string NewBucket() => $"bucket-{Environment.ProcessId}-{Interlocked.Increment(ref _names)}";

    /// <summary>A file of this run.</summary>
    public static string NewFile(string text)
    {
        var path = Path.Combine(s_folder.Value.Path, $"file-{Interlocked.Increment(ref _names)}");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A store on the emulator.</summary>
    public static async Task<IModelStore> OnEmulatorAsync(string? bucket = null, Func<StoreOptions, StoreOptions>? with = null)
    {
        var emulator = await EmulatorAsync();
        var options = new StoreOptions { Environment = name => name == "STORAGE_EMULATOR_HOST" ? emulator : null };
        return new GcsStoreFactory().Create(StoreUrl.Parse($"gs://{bucket ?? NewBucket()}"), with?.Invoke(options) ?? options);
    }

    /// <summary>A store on a fake server of the test's own, with the environment that it gives.</summary>
    public static IModelStore On(string endpoint, Func<string, string?>? environment = null, string? bucket = null, Func<StoreOptions, StoreOptions>? with = null)
    {
        var options = new StoreOptions { Environment = environment ?? (_ => null) };
        var anonymous = environment is null ? "&anonymous=true" : "";
        return new GcsStoreFactory().Create(StoreUrl.Parse($"gs://{bucket ?? NewBucket()}?endpoint={endpoint}&project=fake-project{anonymous}"), with?.Invoke(options) ?? options);
    }

    /// <summary>An environment that names a credential file and nothing else of this machine.</summary>
    public static Func<string, string?> Credentials(string? file) => name => name switch
    {
        "GOOGLE_APPLICATION_CREDENTIALS" => file,
        "HOME" => "/nonexistent",
        "NO_GCE_CHECK" => "true",
        _ => null,
    };

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        foreach (var server in new[] { s_open, s_guarded }.Where(server => server.IsValueCreated))
        {
            await (await server.Value).DisposeAsync();
        }

        if (s_folder.IsValueCreated)
        {
            s_folder.Value.Dispose();
        }
    }
}
