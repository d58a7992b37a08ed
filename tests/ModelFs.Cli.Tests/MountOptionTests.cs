using System.Globalization;
using Microsoft.Extensions.Logging;
using ModelFs.Cli.Mounting;
using ModelFs.Cli.Options;

namespace ModelFs.Cli.Tests;

public sealed class MountOptionTests
{
    private static readonly Caller s_caller = new(new Owner(1000, 100), "/place", name => name == "nlu" ? new Owner(444, 555) : null);

    /// <summary>A value for every row that differs from its default.</summary>
    private static readonly Dictionary<string, string> s_values = new()
    {
        ["store-file"] = "store.txt",
        ["storage"] = "gcs",
        ["rasa-config"] = "config.json",
        ["cache-dir"] = "cache",
        ["cache-size"] = "10G",
        ["min-free"] = "1M",
        ["allow-other"] = "true",
        ["read-only"] = "true",
        ["layout"] = "project",
        ["settle"] = "0.2",
        ["settle-new"] = "0.4",
        ["hydrate"] = "file",
        ["max-unsettled"] = "90",
        ["durability"] = "remote",
        ["switch-after"] = "9",
        ["list-ttl"] = "3",
        ["fetch-deadline"] = "8",
        ["limit-upload"] = "10M",
        ["limit-download"] = "500K",
        ["drain-timeout"] = "7",
        ["archive"] = "single-member",
        ["compress"] = "small",
        ["allow-delete"] = "true",
        ["keep-revisions"] = "4",
        ["no-create-bucket"] = "true",
        ["ca-file"] = "ca.pem",
        ["uid"] = "5",
        ["gid"] = "6",
        ["user"] = "nlu",
        ["log-level"] = "debug",
        ["log-file"] = "log",
    };

    private static IEnumerable<string> Names => MountOptionTable.All.Select(option => option.Name);

    [TestCaseSource(nameof(Names))]
    public void A_flag_a_name_in_o_and_a_variable_mean_the_same(string name)
    {
        var option = MountOptionTable.All.Single(row => row.Name == name);
        var value = s_values[name];
        var byFlag = From(flag: row => row == option ? value : null);
        var byFstab = From(fstab: option.IsSwitch ? option.FstabName : option.FstabName + "=" + value);
        var byVariable = From(variable: variable => variable == option.Variable ? value : null);
        Assert.That(byFlag, Is.Not.EqualTo(new MountRequest(s_caller)), "the value has an effect");
        Assert.That(byFstab, Is.EqualTo(byFlag));
        Assert.That(byVariable, Is.EqualTo(byFlag));
    }

    [Test]
    public void Names_are_derived_and_unique()
    {
        Assert.That(MountOptionTable.All.Select(option => option.Variable), Is.Unique);
        Assert.That(MountOptionTable.All.Select(option => option.FstabName), Is.Unique);
        var option = MountOptionTable.All.Single(row => row.Name == "cache-size");
        Assert.That((option.Flag, option.FstabName, option.Variable), Is.EqualTo(("--cache-size", "cache_size", "MODELFS_CACHE_SIZE")));
    }

    [Test]
    public void A_flag_wins_over_o_and_o_over_the_environment()
    {
        string? Variable(string name) => name is "MODELFS_SETTLE" or "MODELFS_SETTLE_NEW" or "MODELFS_SWITCH_AFTER" ? "3" : null;
        var request = From(option => option.Name == "settle" ? "1.5" : null, "settle=2,settle_new=2", Variable);
        Assert.That(request.Settings.Settle, Is.EqualTo(TimeSpan.FromSeconds(1.5)));
        Assert.That(request.Settings.SettleNew, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(request.Settings.SwitchAfter, Is.EqualTo(TimeSpan.FromSeconds(3)));
    }

    [Test]
    public void The_last_of_equal_names_in_o_wins() =>
        Assert.That(From(fstab: "settle=2,ro,settle=4").Settings.Settle, Is.EqualTo(TimeSpan.FromSeconds(4)));

    [Test]
    public void A_switch_can_be_turned_off_where_it_is_on_in_the_environment() =>
        Assert.That(From(fstab: "read_only=false", variable: name => name == "MODELFS_READ_ONLY" ? "1" : null).Settings.ReadOnly, Is.False);

    [Test]
    public void Options_that_mount_adds_for_everybody_are_ignored() =>
        Assert.That(From(fstab: "rw,defaults,_netdev,noauto,nofail,user,dev,suid,x-systemd.automount,x-systemd.idle-timeout=60"), Is.EqualTo(new MountRequest(s_caller)));

    [Test]
    public void An_unknown_name_in_o_is_refused_with_the_known_ones()
    {
        var error = Assert.Throws<CommandException>(() => From(fstab: "cash_size=1G"));
        Assert.That(error!.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(error.Message, Does.StartWith("-o cash_size: there is no such option; known are ").And.Contain("cache_size").And.Contain("allow_other"));
    }

    [Test]
    public void A_name_in_o_that_lacks_its_value_is_refused() =>
        Assert.That(() => From(fstab: "cache_size"), Throws.InstanceOf<CommandException>().With.Message.EqualTo("-o cache_size needs a value: -o cache_size=SIZE"));

    [Test]
    public void A_bad_value_is_refused_with_where_it_was_given()
    {
        Assert.That(() => From(option => option.Name == "cache-size" ? "much" : null), Throws.InstanceOf<CommandException>().With.Message.StartsWith("--cache-size: 'much'"));
        Assert.That(() => From(fstab: "cache_size=much"), Throws.InstanceOf<CommandException>().With.Message.StartsWith("-o cache_size: 'much'"));
        Assert.That(
            () => From(variable: name => name == "MODELFS_CACHE_SIZE" ? "much" : null),
            Throws.InstanceOf<CommandException>().With.Message.StartsWith("MODELFS_CACHE_SIZE: 'much'"));
    }

    [Test]
    public void Relative_paths_become_absolute() => Assert.That(From(fstab: "cache_dir=a/../b/").CacheDirectory, Is.EqualTo("/place/b"));

    [TestCase("nlu", 444u, 555u)]
    [TestCase("12:34", 12u, 34u)]
    public void A_user_is_a_name_or_two_numbers(string text, uint uid, uint gid) =>
        Assert.That(From(fstab: "user=" + text).User, Is.EqualTo(new Owner(uid, gid)));

    [TestCase("nobody-here")]
    [TestCase("12:")]
    [TestCase("a:b")]
    [TestCase("4294967295:0")]
    public void A_user_that_is_neither_is_refused(string text) =>
        Assert.That(() => From(fstab: "user=" + text), Throws.InstanceOf<CommandException>().With.Message.StartsWith("-o user: "));

    [Test]
    public void Settings_are_the_same_after_their_journey_to_the_daemon()
    {
        var settings = From(fstab: string.Join(',', MountOptionTable.All.Select(option => option.FstabName + "=" + s_values[option.Name]))).Settings with
        {
            Store = "s3://bucket",
            StoreDisplay = "s3://bucket",
            MountPoint = "/mnt",
            CacheDirectory = "/cache",
            Uid = 3,
            Gid = 4,
        };
        Assert.That(MountSettings.FromJson(settings.ToJson()), Is.EqualTo(settings));
        Assert.That(settings.LogLevel, Is.EqualTo(LogLevel.Debug));
    }

    [Test]
    public void Settings_of_an_older_program_have_the_defaults_of_this_one()
    {
        var settings = MountSettings.FromJson("""{"store":"s3://bucket","gone":1}""");
        Assert.That(settings, Is.EqualTo(new MountSettings { Store = "s3://bucket" }));
    }

    [Test]
    public void Every_row_describes_its_default_or_effect_in_one_sentence_or_two()
    {
        foreach (var option in MountOptionTable.All)
        {
            Assert.That(option.Description, Does.EndWith("."), option.Name);
            Assert.That(option.Description.Length, Is.LessThan(180), option.Name.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static MountRequest From(Func<MountOption, string?>? flag = null, string? fstab = null, Func<string, string?>? variable = null) =>
        MountRequest.From(s_caller, flag ?? (_ => null), fstab is null ? [] : [fstab], variable ?? (_ => null));
}
