using System.Diagnostics;

namespace ModelFs.Fuse.Tests;

/// <summary>Real programs on a real mount of this machine's kernel.</summary>
[NonParallelizable]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RealMountTests
{
    private readonly RecordingLog log = new();
    private readonly MemoryFileSystem files = new();

    [Test]
    public async Task Files_are_written_read_renamed_and_removed_by_the_shell()
    {
        await using RealMount mount = await RealMount.StartAsync(files, log);

        string output = await mount.ShellAsync(
            """
            set -e
            mkdir -p sub/deep
            printf 'hello' > sub/a
            printf ' world' >> sub/a
            cat sub/a
            mv sub/a sub/deep/b
            ln -s deep/b sub/link
            cat sub/link
            chmod 600 sub/deep/b
            touch -d @1234567890 sub/deep/b
            stat -c ' %a %Y %s' sub/deep/b
            truncate -s 5 sub/deep/b
            cat sub/deep/b
            stat -f -c ' %l %b' .
            ls sub
            rm -r sub
            ls -A
            """);

        Assert.That(output, Is.EqualTo("hello worldhello world 600 1234567890 11\nhello 255 1000\ndeep\nlink\n"));
        Assert.That(await mount.UnmountAsync(), Is.EqualTo(FuseSessionEnd.Unmounted));
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task Ten_thousand_entries_are_listed_once_each_and_every_look_up_is_given_back()
    {
        string[] names = [.. Enumerable.Range(0, 10_000).Select(number => $"file-{number:d5}")];
        foreach (string name in names)
        {
            files.AddFile(name, [1, 2, 3]);
        }

        await using RealMount mount = await RealMount.StartAsync(files, log);

        Assert.That(Directory.GetFiles(mount.Folder).Select(Path.GetFileName), Is.EquivalentTo(names));
        Assert.That(new DirectoryInfo(mount.Folder).GetFiles().Sum(file => file.Length), Is.EqualTo(30_000));
        Assert.That((await mount.ShellAsync("ls -l | tail -n +2 | wc -l")).Trim(), Is.EqualTo("10000"));
        await mount.UnmountAsync();
        Assert.That(files.Lookups.Values, Has.None.Negative);
        Assert.That(mount.Session.GetStatistics().Select(row => row.Name), Does.Contain("READDIRPLUS"));
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task Four_mebibytes_come_back_as_they_went_in_in_messages_of_a_mebibyte()
    {
        int seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        byte[] content = new byte[(4 * 1024 * 1024) + 123];
        new Random(seed).NextBytes(content);
        await using RealMount mount = await RealMount.StartAsync(files, log);

        await File.WriteAllBytesAsync(mount.PathOf("big"), content);
        await mount.ShellAsync("cp big copy && cmp big copy && dd if=copy of=direct bs=1M iflag=direct 2>/dev/null");

        Assert.That(files.ReadFile("big"), Is.EqualTo(content));
        Assert.That(files.ReadFile("direct"), Is.EqualTo(content));
        Assert.That(await File.ReadAllBytesAsync(mount.PathOf("copy")), Is.EqualTo(content));
        await mount.UnmountAsync();
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task Attributes_of_any_length_are_set_listed_and_read()
    {
        files.AddFile("a", []);
        await using RealMount mount = await RealMount.StartAsync(files, log);

        string output = await mount.ShellAsync(
            """
            python3 -c "
            import os
            os.setxattr('a', 'user.short', b'v')
            os.setxattr('a', 'user.long', b'x' * 60000)
            print(sorted(os.listxattr('a')), os.getxattr('a', 'user.short'), len(os.getxattr('a', 'user.long')))
            try: os.getxattr('a', 'user.none')
            except OSError as e: print(e.errno)"
            """);

        Assert.That(output, Is.EqualTo("['user.long', 'user.short'] b'v' 60000\n61\n"));
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task A_program_that_waits_in_open_is_ended_by_a_signal_and_disturbs_nobody()
    {
        files.AddFile("slow", [1]);
        files.AddFile("quick", "there"u8.ToArray());
        await using RealMount mount = await RealMount.StartAsync(files, log);
        using Process waiting = mount.StartShell("exec cat slow");
        await files.SlowOpened.Task.WaitAsync(FakeKernel.Patience);

        Assert.That(await mount.ShellAsync("ls; cat quick"), Is.EqualTo("quick\nslow\nthere"));
        waiting.Kill();
        await waiting.WaitForExitAsync().WaitAsync(FakeKernel.Patience);

        Assert.That(() => mount.Session.PendingCount, Is.Zero.After(30_000, 5));
        Assert.That(mount.Session.GetStatistics().Select(row => row.Name), Does.Contain("INTERRUPT"));
        files.LetSlowGo();
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task What_was_dropped_by_a_notification_is_asked_for_again()
    {
        files.AddFile("a", "old"u8.ToArray());
        await using RealMount mount = await RealMount.StartAsync(files, log);
        Assert.That(await File.ReadAllTextAsync(mount.PathOf("a")), Is.EqualTo("old"));

        files.AddFile("a", "newer"u8.ToArray());
        string stale = await mount.ShellAsync("stat -c %s a");
        FuseErrno dropped = await mount.Session.Notifier.InvalidateEntry(1, "a");
        FuseErrno unknown = await mount.Session.Notifier.InvalidateEntry(1, "nowhere");

        Assert.That(stale, Is.EqualTo("3\n"), "the kernel keeps what it was told to keep");
        Assert.That(await File.ReadAllTextAsync(mount.PathOf("a")), Is.EqualTo("newer"));
        Assert.That(dropped, Is.EqualTo(FuseErrno.None));
        Assert.That(unknown, Is.EqualTo(FuseErrno.ENOENT));
        Assert.That(await mount.Session.Notifier.InvalidateInode(1, -1, 0), Is.EqualTo(FuseErrno.None));
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task A_successor_takes_over_the_mount_and_is_sent_again_what_was_never_answered()
    {
        files.AddFile("a", "kept"u8.ToArray());
        await using RealMount mount = await RealMount.StartAsync(files, log);
        if (!mount.Session.Negotiated.CanResend)
        {
            Assert.Ignore("This kernel can't send requests again (before 6.9).");
        }

        await mount.ShellAsync("ls -d .");
        files.IsStuck = true;
        using Process waiting = mount.StartShell("cat a");
        Assert.That(() => files.StuckLookups, Is.Not.Empty.After(30_000, 5));
        files.IsStuck = false;

        await mount.TakeOverAsync(files, log);
        await mount.Session.Notifier.Resend();

        Assert.That(await waiting.StandardOutput.ReadToEndAsync().WaitAsync(FakeKernel.Patience), Is.EqualTo("kept"));
        await waiting.WaitForExitAsync().WaitAsync(FakeKernel.Patience);
        Assert.That(files.Resent, Is.Not.Empty);
        Assert.That(Warnings, Is.Empty);
        Assert.That(await mount.UnmountAsync(), Is.EqualTo(FuseSessionEnd.Unmounted));
    }

    private IEnumerable<string> Warnings => log.Lines.Where(line => !line.StartsWith("Trace", StringComparison.Ordinal));
}
