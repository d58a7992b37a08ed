using System.Text.Json;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;
using ModelFs.Cli.Watching;

namespace ModelFs.Cli.Tests;

/// <summary><c>modelfs top</c> where no terminal watches, and the figures that it shows everywhere.</summary>
internal sealed class TopCommandTests
{
    [Test]
    public void Rates_are_what_counters_gained_by_the_second()
    {
        var before = Reports.Of() with { Requests = Counters(files: 10, reads: 1, lists: 2, bytesIn: 1000, errors: 0) };
        var now = Reports.Of() with { Requests = Counters(files: 30, reads: 5, lists: 2, bytesIn: 9000, errors: 1) };
        var sample = TopSample.Of(before, now, TimeSpan.FromSeconds(2));
        Assert.That(sample.FileRequestsPerSecond, Is.EqualTo(10));
        Assert.That(sample.StoreRequestsPerSecond, Is.EqualTo(2));
        Assert.That(sample.StoreErrorsPerSecond, Is.EqualTo(0.5));
        Assert.That(sample.BytesInPerSecond, Is.EqualTo(4000));
        Assert.That(sample.BytesOutPerSecond, Is.Zero);
    }

    [Test]
    public void A_daemon_that_was_replaced_counts_from_zero()
    {
        var before = Reports.Of() with { Requests = Counters(files: 1000, reads: 50, lists: 50, bytesIn: 5000, errors: 9) };
        var now = Reports.Of() with { DaemonPid = 9, Requests = Counters(files: 3, reads: 1, lists: 0, bytesIn: 10, errors: 0) };
        var sample = TopSample.Of(before, now, TimeSpan.FromSeconds(1));
        Assert.That((sample.FileRequestsPerSecond, sample.StoreRequestsPerSecond, sample.StoreErrorsPerSecond, sample.BytesInPerSecond), Is.EqualTo((3, 1, 0, 10)));
    }

    [Test]
    public void The_busiest_model_stands_first_then_trouble_then_what_is_on_its_way_then_what_is_open()
    {
        var now = Reports.Of(
            Reports.Ready("calm"),
            Reports.Ready("used") with { OpenFiles = 1 },
            Reports.Dirty("changed"),
            Reports.Dirty("broken") with { State = "failed", LastError = "cut", Tries = 2 },
            Reports.Publishing("busy"),
            new ModelStatus { Name = "far", State = "absent" });
        var before = now with { Models = [.. now.Models.Select(model => model.Name == "busy" ? model with { ProgressBytes = 5 } : model)] };
        var sample = TopSample.Of(before, now, TimeSpan.FromSeconds(4));
        Assert.That(sample.Models.Select(model => model.Name), Is.EqualTo(new[] { "busy", "broken", "changed", "used", "calm" }));
        Assert.That(sample.Models[0].BytesPerSecond, Is.EqualTo(10));
    }

    [Test]
    public void Content_that_comes_of_an_indexed_model_is_its_rate()
    {
        var before = Reports.Of(Reports.Ready("bert") with { BytesHere = 100 });
        var now = Reports.Of(Reports.Ready("bert") with { BytesHere = 600 });
        Assert.That(TopSample.Of(before, now, TimeSpan.FromSeconds(1)).Models[0].BytesPerSecond, Is.EqualTo(500));
    }

    [Test]
    public async Task Without_a_terminal_it_is_shown_once_as_text()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Publishing("bert"))) };
        Assert.That(await run.RunAsync("top"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That($"{run.Out}", Does.Contain("s3://bucket on /mnt").And.Contain("files 0.0/s").And.Contain("MODEL").And.Match("bert +publishing"));
    }

    [Test]
    public async Task Json_is_one_line_per_look_with_names_that_are_a_contract()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Ready("bert"))) };
        Assert.That(await run.RunAsync("top", "--json", "--count", "3", "--interval", "0.5"), Is.EqualTo(ExitCode.Done));
        var lines = $"{run.Out}".Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(3));
        using var json = JsonDocument.Parse(lines[0]);
        Assert.That(json.RootElement.EnumerateObject().Select(member => member.Name), Is.EqualTo(new[]
        {
            "version", "store", "mountpoint", "seconds", "fileRequestsPerSecond", "storeRequestsPerSecond", "storeErrorsPerSecond", "bytesInPerSecond", "bytesOutPerSecond",
            "cacheBytes", "cacheLimitBytes", "warnings", "models",
        }));
        Assert.That(json.RootElement.GetProperty("models")[0].EnumerateObject().Select(member => member.Name), Is.EqualTo(new[]
        {
            "name", "state", "bytes", "bytesHere", "bytesPerSecond", "openFiles", "openWriters", "dirtySince", "tries", "lastError",
        }));
    }

    [Test]
    public async Task Without_a_mount_and_with_wrong_numbers_it_says_so()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("top"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("mounted nowhere"));
        run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        Assert.That(await run.RunAsync("top", "--interval", "0.01"), Is.EqualTo(ExitCode.Usage));
        Assert.That(await run.RunAsync("top", "--count", "0"), Is.EqualTo(ExitCode.Usage));
        run.Mounts.Failure = StatusFailure.Dead;
        Assert.That(await run.RunAsync("top", "/mnt"), Is.EqualTo(ExitCode.Failed));
    }

    private static Dictionary<string, long> Counters(long files, long reads, long lists, long bytesIn, long errors) => new()
    {
        ["fuse.read"] = files,
        ["store.read"] = reads,
        ["store.list"] = lists,
        ["store.bytes_in"] = bytesIn,
        ["store.errors"] = errors,
    };
}
