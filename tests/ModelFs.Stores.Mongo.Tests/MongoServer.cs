using System.Collections.Concurrent;
using System.Diagnostics;
using MongoDB.Driver;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>
/// The server of this test run: the one that MODELFS_TEST_MONGODB_URI names, else a wire front over python3-mongomock, which is no mongod.
/// </summary>
[SetUpFixture]
internal sealed class MongoServer
{
    private static readonly Lazy<MongoServer> s_started = new(() => new MongoServer(Environment.GetEnvironmentVariable("MODELFS_TEST_MONGODB_URI")));
    private static readonly ConcurrentBag<string> s_databases = [];

    private readonly Process? _front;
    private readonly string? _uri;
    private readonly string _problem = "";

    public MongoServer()
    {
    }

    private MongoServer(string? uri)
    {
        _uri = uri;
        if (uri is null)
        {
            (_front, _uri, _problem) = Start();
        }
    }

    /// <summary>The server's address, without a database.</summary>
    public static string Uri
    {
        get
        {
            if (s_started.Value._uri is null)
            {
                Assert.Ignore($"no MongoDB server: {s_started.Value._problem}");
            }

            return s_started.Value._uri;
        }
    }

    /// <summary>The repository's root folder.</summary>
    public static string RepositoryRoot
    {
        get
        {
            var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "ModelFs.sln")))
            {
                folder = folder.Parent ?? throw new DirectoryNotFoundException("the tests run outside of the repository");
            }

            return folder.FullName;
        }
    }

    /// <summary>The address of a database that nobody has used.</summary>
    public static string NewDatabase()
    {
        var uri = Uri;
        var mark = uri.IndexOf('?', StringComparison.Ordinal);
        var database = $"modelfs_test_{Guid.NewGuid():N}";
        s_databases.Add(database);
        return mark < 0 ? $"{uri.TrimEnd('/')}/{database}" : $"{uri[..mark].TrimEnd('/')}/{database}{uri[mark..]}";
    }

    /// <summary>Starts a front; it ends when the process is disposed of, or with this one.</summary>
    public static (Process? Front, string? Uri, string Problem) Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(RepositoryRoot, "scripts", "servers", "mongo-front"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var front = Process.Start(start)!;
        var uri = front.StandardOutput.ReadLine();
        return uri is null ? (null, null, front.StandardError.ReadToEnd()) : (front, uri, "");
    }

    /// <summary>Ends a front.</summary>
    public static void Stop(Process? front)
    {
        if (front is not null)
        {
            front.StandardInput.Close();
            front.WaitForExit();
            front.Dispose();
        }
    }

    [OneTimeTearDown]
    public void Stop()
    {
        if (s_started.IsValueCreated)
        {
            if (s_started.Value._front is null && s_started.Value._uri is { } uri)
            {
                using var client = new MongoClient(uri);
                foreach (var database in s_databases)
                {
                    client.DropDatabase(database);
                }
            }

            Stop(s_started.Value._front);
        }
    }
}
