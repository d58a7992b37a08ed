using System.Text.Json;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;
using ModelFs.Models;

namespace ModelFs.Cli.Tests;

public sealed class StatusCommandTests
{
    private const string Contract =
        """
        {"version":1,"store":"s3://b","mountpoint":"/mnt","cacheDir":"/cache","daemonPid":8,"keeperPid":7,"startedAt":"2026-11-23T14:00:00+00:00","readOnly":false,
         "passthrough":{"active":false,"reason":"it needs root"},"canResume":true,"inflate":"isa-l","durability":"local",
         "conditions":{"create":"atomic","replace":"checked-before","delete":"checked-before","inParts":null},"cache":{"bytes":10,"limitBytes":null,"models":1},
         "requests":{"get":3},"warnings":["w"],"conflicts":[{"name":"bert@host-1","model":"bert","bytes":7,"newName":"bert-host-1"}],
         "models":[{"name":"bert","state":"dirty","bytes":1,"bytesHere":0,"files":3,"localRevision":"l","storeRevision":"s","openFiles":2,"openWriters":1,
          "dirtySince":"2026-11-23T14:59:57+00:00","tries":4,"lastError":"e","nextTryAt":null,"pinned":true,"needsReview":false,"progressBytes":5,"totalBytes":6}]}
        """;

    [Test]
    public void The_report_s_names_are_those_of_the_contract()
    {
        using var expected = JsonDocument.Parse(Contract);
        using var written = JsonDocument.Parse(StatusReport.FromJson(Contract).ToJson());
        Assert.That(JsonElement.DeepEquals(written.RootElement, expected.RootElement), $"{written.RootElement}");
    }

    [Test]
    public void What_a_newer_daemon_adds_is_skipped_and_what_it_leaves_out_has_a_default()
    {
        var report = StatusReport.FromJson("""{"version":1,"color":"blue","models":[{"name":"bert","state":"review","flavour":1}]}""");
        Assert.That(report.Models.Single().State, Is.EqualTo("review"));
        Assert.That(report.Cache.LimitBytes, Is.Null);
    }

    [Test]
    public void A_report_of_another_meaning_is_refused() =>
        Assert.That(() => StatusReport.FromJson("""{"version":2}"""), Throws.InstanceOf<JsonException>().With.Message.Contains("version 2"));

    [Test]
    public void Every_state_has_a_name_of_its_own() => Assert.That(Enum.GetValues<ModelState>().Select(ModelStatus.NameOf), Is.Unique.And.All.Match("^[a-z]+$"));

    [Test]
    public async Task Conditions_that_the_store_does_not_check_itself_are_told()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of() with { Conditions = new ConditionStatus("atomic", "atomic", "checked-before", "checked-before") }) };
        Assert.That(await run.RunAsync("status"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("conditions").And.Contain("the store itself does not check uploads in parts, deletions:"));
        run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of() with { Conditions = new ConditionStatus("atomic", "atomic", "atomic", "atomic") }) };
        await run.RunAsync("status");
        Assert.That($"{run.Out}", Does.Not.Contain("conditions"));
    }

    [TestCase("status")]
    [TestCase("doctor")]
    public async Task No_line_for_another_program_ends_with_blanks(string command)
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(Reports.Dirty("zeta"), Reports.Ready("alpha"))) };
        await run.RunAsync(command);
        var lines = run.Out.ToString().Split('\n');
        Assert.That(lines, Has.Length.GreaterThan(3));
        Assert.That(lines.Where(line => line.EndsWith(' ')), Is.Empty);
        Assert.That(lines, Has.Some.Contains("  "), "columns stay apart");
    }

    [Test]
    public async Task People_see_facts_then_models_then_how_many_are_not_here()
    {
        var report = Reports.Of(
            Reports.Dirty("zeta") with { OpenFiles = 2, OpenWriters = 1 },
            Reports.Ready("alpha"),
            Reports.Publishing("mid"),
            new ModelStatus { Name = "broken", State = "failed", Bytes = 10, Tries = 3, LastError = "cut off", NextTryAt = new DateTimeOffset(2026, 11, 23, 15, 0, 30, TimeSpan.Zero) },
            new ModelStatus { Name = "far1", State = "absent" },
            new ModelStatus { Name = "far2", State = "absent" }) with
        {
            Warnings = ["two keys name one model: [a]"],
        };
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(report) };
        Assert.That(await run.RunAsync("status"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That(Lines(run), Is.EqualTo(
            """
            s3://bucket on /mnt
              daemon   pid 8, since 2026-11-23 14:00:00Z
              access   read and write, durability local
              reads    passthrough: at the speed of the cache's file system
              cache    3.0 MiB of 10.0 GiB, 2 models, in /cache
              pending  2 models, 24.6 MiB
              warning  two keys name one model: [a]

              MODEL   STATE           SIZE  OPEN  NOTE
              alpha   ready       12.3 MiB
              broken  failed          10 B        try 3: cut off; next try in 30 s
              mid     publishing  12.3 MiB        45 % of 100 B; changed 3.0 s ago
              zeta    dirty       12.3 MiB     2  1 file open for writing; changed 3.0 s ago

            and 2 models in the store of which nothing is here yet (--all lists them)
            """));
    }

    [Test]
    public async Task All_lists_the_models_that_are_not_here()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of(new ModelStatus { Name = "far", State = "absent", Bytes = 2048 })) };
        await run.RunAsync("status", "--all");
        Assert.That(Lines(run), Does.Contain("  far    absent  2.0 KiB"));
    }

    [Test]
    public async Task A_daemon_that_serves_its_models_slowly_says_why()
    {
        var run = new CommandRun
        {
            Mounts = FakeMounts.With("/mnt").Reporting(Reports.Of() with { ReadOnly = true, CanResume = false, Passthrough = new PassthroughStatus(false, "it needs root") }),
        };
        await run.RunAsync("status");
        Assert.That(Lines(run), Does.Contain("through the daemon: it needs root").And.Contain("read-only").And.Contain("older than 6.9").And.Contain("nothing: the store has every change"));
    }

    [Test]
    public async Task Json_of_a_named_mount_is_the_daemon_s_own_object_and_of_all_an_array()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/a", "/b").Reporting(Reports.Of(Reports.Ready("bert"))) };
        Assert.That(await run.RunAsync("status", "/a", "--json"), Is.EqualTo(ExitCode.Done));
        Assert.That(JsonDocument.Parse($"{run.Out}").RootElement.GetProperty("models")[0].GetProperty("name").GetString(), Is.EqualTo("bert"));
        run.Out.GetStringBuilder().Clear();
        Assert.That(await run.RunAsync("status", "--json"), Is.EqualTo(ExitCode.Done));
        Assert.That(JsonDocument.Parse($"{run.Out}").RootElement.GetArrayLength(), Is.EqualTo(2));
    }

    [Test]
    public async Task Without_mounts_json_is_an_empty_array_and_people_are_told()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("status", "--json"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Is.EqualTo("[]\n"));
        Assert.That(await run.RunAsync("status"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("mounted nowhere"));
    }

    [Test]
    public async Task A_dead_mount_is_told_with_the_remedy_and_stands_in_the_array()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/mnt") };
        run.Mounts.Failure = StatusFailure.Dead;
        Assert.That(await run.RunAsync("status", "--json"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("`modelfs unmount /mnt`"));
        var entry = JsonDocument.Parse($"{run.Out}").RootElement[0];
        Assert.That(entry.GetProperty("mountpoint").GetString(), Is.EqualTo("/mnt"));
        Assert.That(entry.GetProperty("problem").GetString(), Does.Contain("nothing serves this mount"));
    }

    [Test]
    public async Task A_place_without_a_mount_fails()
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync("status", "/mnt", "--json"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Out}", Is.Empty);
    }

    [TestCase(0L, "0 B")]
    [TestCase(1023L, "1023 B")]
    [TestCase(1024L, "1.0 KiB")]
    [TestCase((1L << 20) - 1, "1.0 MiB")]
    [TestCase(12_897_485L, "12.3 MiB")]
    [TestCase(long.MaxValue, "8192.0 PiB")]
    public void Sizes_are_shown_in_the_largest_unit_that_fits(long bytes, string text) => Assert.That(DisplayText.Bytes(bytes), Is.EqualTo(text));

    [TestCase(-1, "0.0 s")]
    [TestCase(0.44, "0.4 s")]
    [TestCase(59.9, "59 s")]
    [TestCase(200, "3 min 20 s")]
    [TestCase(18120, "5 h 2 min")]
    [TestCase(273600, "3 d 4 h")]
    public void Durations_are_shown_in_two_units_at_most(double seconds, string text) =>
        Assert.That(DisplayText.Duration(TimeSpan.FromSeconds(seconds)), Is.EqualTo(text));

    /// <summary>The output without the spaces that pad table cells at the ends of lines.</summary>
    private static string Lines(CommandRun run) => string.Join('\n', $"{run.Out}".TrimEnd().Split('\n').Select(line => line.TrimEnd()));
}
