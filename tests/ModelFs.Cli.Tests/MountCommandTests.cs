using ModelFs.Cli.Mounting;

namespace ModelFs.Cli.Tests;

public sealed class MountCommandTests
{
    private string _folder = "";
    private CommandRun _run = new();

    [SetUp]
    public void MakeFolders()
    {
        _folder = Directory.CreateTempSubdirectory("modelfs-cli").FullName;
        Directory.CreateDirectory(_folder + "/mnt");
        _run = new CommandRun { WorkingDirectory = _folder };
        _run.Variables["HOME"] = _folder;
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_mount_tells_the_keeper_everything_and_the_user_how_to_go_on()
    {
        Assert.That(await _run.RunAsync("mount", "s3://bucket", "mnt", "--cache-dir", "cache", "--settle", "0.2", "-o", "ro,allow_other"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
        var launch = _run.Keeper.Launched!;
        Assert.That(launch.Settings, Is.EqualTo(new MountSettings
        {
            Store = "s3://bucket",
            StoreDisplay = "s3://bucket",
            MountPoint = _folder + "/mnt",
            CacheDirectory = _folder + "/cache",
            Settle = TimeSpan.FromSeconds(0.2),
            ReadOnly = true,
            AllowOther = true,
            Uid = 1000,
            Gid = 100,
        }));
        Assert.That(launch.Arguments(9, "/bin/modelfs"), Is.EqualTo(new[]
        {
            "--mountpoint", _folder + "/mnt", "--fsname", "s3://bucket", "--options", "allow_other,ro", "--ready-fd", "9",
            "--log", _folder + "/cache/modelfs.log", "--read-ahead-kb", "1024", "--", "/bin/modelfs", "daemon",
        }));
        Assert.That($"{_run.Out}", Does.StartWith($"s3://bucket is mounted at {_folder}/mnt\n").And.Contain("modelfs unmount mnt"));
        Assert.That($"{_run.Error}", Is.Empty);
    }

    [Test]
    public async Task The_cache_is_made_for_its_user_alone()
    {
        await _run.RunAsync("mount", "s3://bucket", "mnt");
        var cache = _run.Keeper.Launched!.Settings.CacheDirectory;
        Assert.That(cache, Does.StartWith(_folder + "/.cache/modelfs/"));
        Assert.That(File.GetUnixFileMode(cache), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Test]
    public void A_store_has_its_own_cache_folder_with_a_fixed_name()
    {
        string? Variable(string name) => name == "XDG_CACHE_HOME" ? "/xdg" : null;
        Assert.That(CacheLocation.Default("s3://bucket", isRoot: true, Variable), Is.EqualTo("/var/cache/modelfs/f6404b9c72d84113"));
        Assert.That(CacheLocation.Default("s3://bucket", isRoot: false, Variable), Is.EqualTo("/xdg/modelfs/f6404b9c72d84113"));
        Assert.That(() => CacheLocation.Default("s3://bucket", isRoot: false, _ => null), Throws.InstanceOf<CommandException>().With.Message.Contains("--cache-dir"));
    }

    [Test]
    public async Task A_keeper_s_reason_ends_up_on_standard_error()
    {
        _run.Keeper.Answer = KeeperAnswer.Parse("error the bucket does not exist", "/log");
        Assert.That(await _run.RunAsync("mount", "s3://bucket", "mnt"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Is.EqualTo("modelfs: the bucket does not exist\n"));
        Assert.That($"{_run.Out}", Is.Empty);
    }

    [TestCase("ready 123", 123, null)]
    [TestCase("error no such bucket ", null, "no such bucket")]
    [TestCase(null, null, "modelfs-keeper ended without an answer; its log is /log")]
    [TestCase("Segmentation fault", null, "modelfs-keeper ended without an answer; its log is /log")]
    public void A_keeper_that_says_neither_ready_nor_error_has_died(string? line, int? pid, string? error) =>
        Assert.That(KeeperAnswer.Parse(line, "/log"), Is.EqualTo(new KeeperAnswer(pid, error)));

    [Test]
    public async Task In_the_foreground_the_keeper_takes_the_place_of_the_command()
    {
        Assert.That(await _run.RunAsync("mount", "--foreground", "s3://bucket", "mnt"), Is.EqualTo(ExitCode.Failed), "the fake keeper can't be become");
        Assert.That(_run.Keeper.Launched!.Arguments(9, "/bin/modelfs"), Does.Contain("--foreground").And.Not.Contain("--log"));
    }

    [Test]
    public async Task The_store_can_come_from_the_environment_or_a_file_and_its_password_stays_out_of_the_command_line()
    {
        _run.Variables["MODELFS_STORE"] = "mongodb://me:secret@host/db";
        Assert.That(await _run.RunAsync("mount", "mnt"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
        Assert.That(_run.Keeper.Launched!.Settings.Store, Is.EqualTo("mongodb://me:secret@host/db"));
        Assert.That(string.Join(' ', _run.Keeper.Launched.Arguments(9, "/bin/modelfs")) + _run.Out + _run.Error, Does.Not.Contain("secret"));
        await File.WriteAllTextAsync(_folder + "/store", "mongodb://me:other@host/db\n");
        Assert.That(await _run.RunAsync("mount", "mnt", "--store-file", "store"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
        Assert.That(_run.Keeper.Launched!.Settings.Store, Is.EqualTo("mongodb://me:other@host/db"));
        Assert.That($"{_run.Error}", Is.Empty);
    }

    [Test]
    public async Task A_password_on_the_command_line_is_taken_with_a_warning()
    {
        Assert.That(await _run.RunAsync("mount", "mongodb://me:secret@host/db", "mnt"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{_run.Error}", Does.StartWith("modelfs: warning: ").And.Contain("--store-file").And.Not.Contain("secret"));
    }

    [Test]
    public async Task Root_runs_the_daemon_as_the_user_it_names_whose_files_they_are()
    {
        _run.Owner = new Owner(0, 0);
        Directory.CreateDirectory(_folder + "/cache");
        Assert.That(await _run.RunAsync("mount", "s3://bucket", "mnt", "--user", "nlu", "--gid", "7", "--cache-dir", "cache"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
        var launch = _run.Keeper.Launched!;
        Assert.That((launch.Settings.Uid, launch.Settings.Gid), Is.EqualTo((444u, 7u)));
        Assert.That(string.Join(' ', launch.Arguments(9, "/bin/modelfs")), Does.Contain("--user 444:555"));
    }

    [Test]
    public async Task A_missing_folder_in_the_way_is_told_with_the_remedy()
    {
        Assert.That(await _run.RunAsync("mount", "s3://bucket", "nowhere"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Is.EqualTo($"modelfs: the mount point {_folder}/nowhere does not exist; create it: mkdir -p {_folder}/nowhere\n"));
        await File.WriteAllTextAsync(_folder + "/file", "");
        Assert.That(await _run.RunAsync("mount", "s3://bucket", "file"), Is.EqualTo(ExitCode.Failed));
        Assert.That($"{_run.Error}", Does.Contain("is a file"));
        Assert.That(_run.Keeper.Launched, Is.Null);
    }

    [Test]
    public async Task A_dead_mount_in_the_way_is_left_to_the_keeper()
    {
        _run.Mounts = FakeMounts.With("/no/such/folder");
        Assert.That(await _run.RunAsync("mount", "s3://bucket", "/no/such/folder"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
    }

    [TestCase("the cache directory", "mount", "s3://bucket", "mnt", "--cache-dir", "mnt/cache")]
    [TestCase("the store", "mount", "mnt/store", "mnt")]
    [TestCase("the store", "mount", "store", "mnt", "--cache-dir", "store/cache")]
    [TestCase("--user: only root", "mount", "store", "mnt", "--user", "1:1")]
    [TestCase("--ca-file: there is no file", "mount", "s3://bucket", "mnt", "--ca-file", "none.pem")]
    [TestCase("--settle: 'soon'", "mount", "s3://bucket", "mnt", "--settle", "soon")]
    [TestCase("-o cash: there is no such option", "mount", "s3://bucket", "mnt", "-o", "cash=1")]
    [TestCase("ftp:// is no store", "mount", "ftp://host", "mnt")]
    [TestCase("no mount point is named", "mount")]
    [TestCase("no store is named", "mount", "mnt")]
    [TestCase("STORE is given twice", "mount", "s3://bucket", "mnt", "--store-file", "store")]
    [TestCase("STORE is given twice", "mount", "s3://bucket", "mnt", "--storage", "aws")]
    [TestCase("--bogus", "mount", "s3://bucket", "mnt", "--bogus")]
    public async Task What_can_not_be_right_ends_with_code_2_before_anything_is_started(string message, params string[] arguments)
    {
        Assert.That(await _run.RunAsync(arguments), Is.EqualTo(ExitCode.Usage), $"{_run.Error}");
        Assert.That($"{_run.Error}", Does.StartWith("modelfs: ").And.Contain(message));
        Assert.That(_run.Keeper.Launched, Is.Null);
    }

    [Test]
    public async Task Mount_8_can_call_it_as_a_helper()
    {
        Assert.That(await _run.RunAsync("s3://bucket", "mnt", "-o", "rw,dev,suid,cache_size=1G"), Is.EqualTo(ExitCode.Done), $"{_run.Error}");
        Assert.That(_run.Keeper.Launched!.Settings.CacheBytesMax, Is.EqualTo(1L << 30));
    }

    [Test]
    public async Task O_help_lists_every_option()
    {
        Assert.That(await _run.RunAsync("mount", "-o", "help"), Is.EqualTo(ExitCode.Done));
        Assert.That($"{_run.Out}", Does.Contain("cache_size=SIZE").And.Contain("--read-only").And.Contain("MODELFS_ALLOW_OTHER"));
    }

    [Test]
    public async Task The_daemon_gets_the_settings_from_its_environment()
    {
        var daemon = new RecordingDaemon();
        _run.Daemon = daemon;
        Assert.That(await _run.RunAsync("daemon"), Is.EqualTo(ExitCode.Usage));
        Assert.That($"{_run.Error}", Does.Contain("modelfs mount"));
        _run.Variables[MountSettings.Variable] = new MountSettings { Store = "s3://bucket" }.ToJson();
        Assert.That(await _run.RunAsync("daemon"), Is.EqualTo(75));
        Assert.That(daemon.Settings!.Store, Is.EqualTo("s3://bucket"));
    }

    private sealed class RecordingDaemon : IMountDaemon
    {
        public MountSettings? Settings { get; private set; }

        public Task<int> RunAsync(MountSettings settings, CancellationToken cancellationToken)
        {
            Settings = settings;
            return Task.FromResult(75);
        }
    }
}
