using Microsoft.Extensions.Logging.Abstractions;

namespace ModelFs.Mount.Tests;

/// <summary>What the kernel demands of passthrough: all opens of a node that are alive together agree.</summary>
internal sealed class PassthroughTableTests
{
    private readonly FakeBackingFiles _files = new();
    private PassthroughTable _table = null!;
    private string _path = "";

    [SetUp]
    public void MakeTable()
    {
        _path = Path.GetTempFileName();
        _files.Registered.Clear();
        _files.Closed.Clear();
        _files.Refusal = null;
        _table = new PassthroughTable(_files, NullLogger<PassthroughTable>.Instance);
        _table.Decide(null, _path);
        _files.Closed.Clear();
    }

    [TearDown]
    public void RemoveFile() => File.Delete(_path);

    [Test]
    public void Nothing_passes_through_before_it_was_tried()
    {
        var table = new PassthroughTable(_files, NullLogger<PassthroughTable>.Instance);
        Assert.That(table.Open(7, _path, isCounted: false, canCache: false), Is.Zero);
        Assert.That(table.WhyOff, Is.Not.Null);
    }

    [Test]
    public void The_probe_leaves_nothing_registered()
    {
        Assert.That(_table.WhyOff, Is.Null);
        Assert.That(_files.Registered, Is.Empty);
    }

    [Test]
    public void A_refused_probe_says_why()
    {
        _files.Refusal = "no CAP_SYS_ADMIN";
        _table.Decide(null, _path);
        Assert.That(_table.WhyOff, Is.EqualTo("no CAP_SYS_ADMIN"));
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.Zero);
    }

    [Test]
    public void All_opens_of_a_node_have_the_same_id()
    {
        var first = _table.Open(7, _path, isCounted: false, canCache: false);
        Assert.That(first, Is.GreaterThan(0));
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.EqualTo(first));
        Assert.That(_table.Open(8, _path, isCounted: false, canCache: false), Is.Not.EqualTo(first));
    }

    [Test]
    public void A_registration_outlives_its_last_release_until_the_kernel_forgets_the_node()
    {
        var id = _table.Open(7, _path, isCounted: false, canCache: false);
        _table.Release(7);
        Assert.That(_files.Closed, Is.Empty);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.EqualTo(id));
        _table.Forget(7);
        Assert.That(_files.Closed, Is.Empty, "it is open");
        _table.Release(7);
        _table.Forget(7);
        Assert.That(_files.Closed, Is.EqualTo(new ulong[] { 7 }));
    }

    [Test]
    public void A_node_that_is_open_through_the_page_cache_stays_so_until_it_is_closed()
    {
        _files.Refusal = "not now";
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.Zero);
        _files.Refusal = null;
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.Zero, "mixing them is an error of the kernel's");
        _table.Release(7);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.Zero);
        _table.Release(7);
        _table.Release(7);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.GreaterThan(0));
    }

    [Test]
    public void A_node_that_may_be_cached_is_not_registered_and_a_writer_that_joins_goes_the_same_way()
    {
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: true), Is.Zero);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.Zero, "mixing them is an error of the kernel's");
        _table.Release(7);
        _table.Release(7);
        Assert.That(_files.Registered, Is.Empty);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.GreaterThan(0));
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: true), Is.GreaterThan(0), "it is open through its registration");
    }

    [Test]
    public void A_node_that_was_open_through_the_page_cache_before_this_daemon_stays_so_until_it_is_closed()
    {
        _table.Inherit(7, isCached: true);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.Zero);
        _table.Release(7);
        _table.Release(7);
        Assert.That(_files.Closed, Is.Empty);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.GreaterThan(0));
    }

    [Test]
    public void Of_idle_registrations_the_oldest_goes_when_there_are_too_many()
    {
        const int idleMax = 4096;
        for (var node = 1UL; node <= idleMax + 1; node++)
        {
            _table.Open(node, _path, isCounted: false, canCache: false);
            _table.Release(node);
            if (node == 2)
            {
                // Used again: the first node is younger than the second now.
                _table.Open(1, _path, isCounted: false, canCache: false);
                _table.Release(1);
            }
        }

        Assert.That(_files.Closed, Is.EqualTo(new ulong[] { 2 }));
        Assert.That(_files.Registered, Has.Count.EqualTo(idleMax));
    }

    [Test]
    public void A_node_that_was_open_before_this_daemon_keeps_its_registration_and_gives_it_up_at_last()
    {
        _files.Registered[7] = 99;
        _table.Inherit(7, isCached: false);
        Assert.That(_table.Open(7, _path, isCounted: false, canCache: false), Is.EqualTo(99));
        _table.Release(7);
        _table.Release(7);
        _table.Forget(7);
        Assert.That(_files.Registered, Is.Empty);
    }

    [Test]
    public void A_node_that_is_never_opened_again_gives_up_what_a_daemon_before_registered()
    {
        _files.Registered[7] = 99;
        _table.Inherit(7, isCached: false);
        _table.Release(7);
        Assert.That(_files.Registered, Is.Empty);
    }

    [Test]
    public void An_open_that_is_only_repeated_is_counted_once()
    {
        _files.Registered[7] = 99;
        _table.Inherit(7, isCached: false);
        Assert.That(_table.Open(7, _path, isCounted: true, canCache: false), Is.EqualTo(99));
        _table.Release(7);
        _table.Forget(7);
        Assert.That(_files.Registered, Is.Empty);
    }
}
