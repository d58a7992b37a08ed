using ModelFs.Cli.Listing;
using ModelFs.Cli.Undo;
using ModelFs.Stores;

namespace ModelFs.Cli.Tests;

/// <summary><c>modelfs history</c> and <c>restore</c>, on folder stores and on made-up mounts.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class UndoCommandTests
{
    private static readonly DateTimeOffset s_time = new(2026, 11, 22, 8, 30, 0, TimeSpan.Zero);
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("modelfs-undo-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_store_is_asked_by_its_address_and_gives_back_what_was_replaced()
    {
        await PutAsync("bert.tar.gz", 1);
        await PutAsync("bert.tar.gz", 2);
        var past = (await HistoryAsync("history", _folder, "bert", "--json")).Revisions[1];
        Assert.That((past.Bytes, past.State), Is.EqualTo((1, ModelRevision.Replaced)));

        var run = Run();
        Assert.That(await run.RunAsync("restore", _folder, $"bert@{past.Revision[..^3]}"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That(new FileInfo(Path.Combine(_folder, "bert.tar.gz")).Length, Is.EqualTo(1));
        Assert.That((await HistoryAsync("history", _folder, "bert", "--json")).Revisions.Select(each => each.Bytes), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task People_get_a_table_and_the_reason_why_nothing_is_kept()
    {
        await PutAsync("bert.tar.gz", 1, keep: 0);
        var run = Run(keep: 0);
        Assert.That(await run.RunAsync("history", _folder, "bert"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        var lines = $"{run.Out}".TrimEnd().Split('\n');
        Assert.That(lines[0], Does.StartWith("REVISION"));
        Assert.That(lines[1].TrimEnd(), Does.EndWith("1 B  current"));
        Assert.That(lines[2], Does.Contain("--keep-revisions 0"));
    }

    [Test]
    public async Task What_never_was_is_said_to_have_no_past()
    {
        var run = Run();
        Assert.That(await run.RunAsync("history", _folder, "bert"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{run.Out}", Does.Contain("no model bert, and nothing of its past"));
        Assert.That(await run.RunAsync("restore", _folder, "bert@2026"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("nothing of its past is kept"));
    }

    [Test]
    public async Task A_revision_that_two_begin_with_is_refused_and_both_are_named()
    {
        for (var length = 1; length <= 3; length++)
        {
            await PutAsync("bert.tar.gz", length, keep: 2);
        }

        var run = Run(keep: 2);
        Assert.That(await run.RunAsync("restore", _folder, "bert@2"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("2 revisions of bert"));
        Assert.That(new FileInfo(Path.Combine(_folder, "bert.tar.gz")).Length, Is.EqualTo(3));
    }

    [Test]
    public async Task The_current_revision_needs_no_restoring()
    {
        await PutAsync("bert.tar.gz", 1);
        var current = (await HistoryAsync("history", _folder, "bert", "--json")).Revisions.Single().Revision;
        var run = Run();
        Assert.That(await run.RunAsync("restore", _folder, $"bert@{current}"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That($"{run.Out}", Does.Contain("already"));
    }

    [Test]
    public async Task An_archive_of_another_format_has_the_same_past_and_is_not_restored_where_it_would_not_show()
    {
        await PutAsync("bert.zip", 1);
        await PutAsync("bert.zip", 2);
        await PutAsync("bert.tar.gz", 3);
        var history = await HistoryAsync("history", _folder, "bert", "--json");
        Assert.That(history.Revisions.Select(each => (each.Key, each.State)), Is.EqualTo(new[] { ("bert.tar.gz", "current"), ("bert.zip", "replaced") }));
        var run = Run();
        Assert.That(await run.RunAsync("restore", _folder, $"bert@{history.Revisions[1].Revision}"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("bert.tar.gz is shown in place of bert.zip"));
    }

    [Test]
    public async Task The_daemon_of_a_mount_is_asked_through_the_file_of_the_model()
    {
        var history = new ModelHistory(1, "s3://bucket", "team/bert")
        {
            Revisions = [new ModelRevision("v2", "team___bert.tar.gz", 2048, s_time, ModelRevision.Current, null), new ModelRevision("v1", "team___bert.tar.gz", 1024, s_time, ModelRevision.Deleted, s_time)],
            LocalChanges = true,
        };
        var run = new CommandRun { Mounts = FakeMounts.With("/models") };
        run.Mounts.Texts["/models/.modelfs/history/team___bert.json"] = history.ToJson();
        Assert.That(await run.RunAsync("history", "team/bert"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That($"{run.Out}".TrimEnd().Split('\n').Select(line => line.TrimEnd()), Is.EqualTo(new[]
        {
            "REVISION  STORED                   SIZE  STATE",
            "v2        2026-11-22 08:30:00Z  2.0 KiB  current",
            "v1        2026-11-22 08:30:00Z  1.0 KiB  deleted 2026-11-22 08:30:00Z",
            "and changes in this mount that the store does not have yet (modelfs status)",
        }));

        Assert.That(await run.RunAsync("restore", "/models", "team/bert@v1"), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        Assert.That(run.Mounts.Calls, Is.EqualTo(new[] { "user.modelfs.restore=v1 /models/.modelfs/history/team___bert.json" }));
    }

    [Test]
    public async Task Why_the_store_gave_no_answer_to_the_daemon_is_told()
    {
        var run = new CommandRun { Mounts = FakeMounts.With("/models") };
        run.Mounts.Texts["/models/.modelfs/history/bert.json"] = new ModelHistory(1, "s3://bucket", "bert") { Problem = "the store is down" }.ToJson();
        Assert.That(await run.RunAsync("history", "bert"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain("the store is down"));
    }

    [TestCase(Errno.EROFS, null, "read-only")]
    [TestCase(Errno.EBUSY, "bert has changes", "bert has changes")]
    [TestCase(Errno.ENOTCONN, null, "modelfs unmount")]
    [TestCase(Errno.ENOENT, null, "older version")]
    public async Task Why_the_daemon_refused_is_told(int errno, string? lastError, string said)
    {
        var mounts = FakeMounts.With("/models");
        (mounts.AskErrno, mounts.LastError) = (errno, lastError);
        var run = new CommandRun { Mounts = mounts };
        Assert.That(await run.RunAsync("restore", "bert@v1"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{run.Error}", Does.Contain(said));
    }

    [TestCase("restore", "bert")]
    [TestCase("restore", "bert@")]
    [TestCase("restore", "@v1")]
    [TestCase("history", "bert")]
    [TestCase("history", "s3://bucket", "a/b/c")]
    public async Task What_is_not_clear_is_wrong_usage(params string[] arguments)
    {
        var run = new CommandRun();
        Assert.That(await run.RunAsync(arguments), Is.EqualTo(ExitCode.Usage), $"{run.Out}{run.Error}");
    }

    private static async Task<FolderStore> OpenAsync(string folder, int keep)
    {
        var store = new FolderStore(folder, new StoreOptions { KeepRevisions = keep });
        await store.OpenAsync(CancellationToken.None);
        return store;
    }

    private async Task PutAsync(string key, int length, int keep = 1)
    {
        await using var store = await OpenAsync(_folder, keep);
        await store.PublishAsync(key, new Zeros(length), PublishCondition.None, CancellationToken.None);
    }

    private static async Task<ModelHistory> HistoryAsync(params string[] arguments)
    {
        var run = Run();
        Assert.That(await run.RunAsync(arguments), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        return ModelHistory.FromJson($"{run.Out}");
    }

    private static CommandRun Run(int keep = 1) =>
        new() { RealStores = new StoreUrlOpener(new StoreOpener([new FolderStoreFactory()]), new StoreOptions { KeepRevisions = keep }) };

    private sealed class Zeros(int length) : IPublishContent
    {
        public long Length => length;

        public Stream OpenRead(long offset, long length) => new MemoryStream(new byte[length]);
    }
}
