using System.Globalization;
using ModelFs.CrashTests.Kills;
using ModelFs.FunctionalTests.Harness;
using ModelFs.FunctionalTests.S3;

namespace ModelFs.CrashTests.S3;

/// <summary>
/// The store fails, or the daemon is killed, at the first request of a change, then at the second, until a change makes no more: at every
/// phase of each. The change arrives, once, and nobody is in conflict with himself.
/// </summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class StoreFaultTests : IDisposable
{
    private const string Deadline = "3";
    private readonly TestFolder _home = new();
    private HttpFaultProxy? _proxy;
    private MountedStore? _mount;
    private S3CrashStore? _store;

    private HttpFaultProxy Proxy => _proxy!;

    private MountedStore Mounted => _mount!;

    [SetUp]
    public void A_bucket_is_mounted_by_way_of_the_proxy()
    {
        S3Server.RequireHere();
        Requires.Fuse();
        _proxy = new HttpFaultProxy(CephServer.Endpoint);
        _store = new S3CrashStore(_proxy.Endpoint);
        _store.Put(_home, ["alpha"]);
        _mount = MountedStore.Start(_home, _store.Url, new MountSettings { Settle = "0.05", More = ["--fetch-deadline", Deadline], Environment = _store.Environment });

        // All of it, so that the first request of a change is one of its publish.
        Actor.Bash($"find {_mount.Root}/alpha -type f -exec cat {{}} + > /dev/null");
    }

    [TearDown]
    public void Dispose()
    {
        if (_proxy is not null)
        {
            _proxy.Decide = (_, _) => ProxyVerdict.Pass;
        }

        _mount?.Dispose();
        _proxy?.Dispose();
        _home.Dispose();
    }

    /// <summary>Refused, answered by something in between, cut in the middle, and done although the client never learns of it.</summary>
    [LongCase("store", ProxyPhase.Begun, null)]
    [LongCase("store", ProxyPhase.Begun, 500)]
    [TestCase(ProxyPhase.Begun, 503)]
    [LongCase("store", ProxyPhase.Begun, 409)]
    [LongCase("store", ProxyPhase.Begun, 412)]
    [TestCase(ProxyPhase.HalfSent, null)]
    [TestCase(ProxyPhase.AnswerHeld, null)]
    [LongCase("store", ProxyPhase.HalfAnswered, null)]
    [Promise("O3")]
    [Promise("W5")]
    public void A_change_arrives_whatever_request_fails(ProxyPhase phase, int? status) =>
        AtEveryRequest(phase, (_, _) => status is { } code ? ProxyVerdict.Answer(code) : ProxyVerdict.Close, _ => { });

    /// <summary>The server does what it was asked for, and answers when nobody waits any more.</summary>
    [Test]
    [Explicit("takes long: scripts/crash-test --what store")]
    [Category("Long")]
    [Promise("O3")]
    public void A_change_arrives_whatever_request_is_answered_too_late()
    {
        using var end = new ManualResetEventSlim();
        AtEveryRequest(
            ProxyPhase.AnswerHeld,
            (_, _) =>
            {
                end.Wait(TimeSpan.FromSeconds(10));
                return ProxyVerdict.Close;
            },
            _ => { });
        end.Set();
    }

    [LongCase("store", ProxyPhase.Begun)]
    [LongCase("store", ProxyPhase.HalfSent)]
    [LongCase("store", ProxyPhase.Sent)]
    [TestCase(ProxyPhase.AnswerHeld)]
    [LongCase("store", ProxyPhase.Answered)]
    [Promise("O3")]
    [Promise("K3")]
    public void A_change_arrives_whatever_request_the_daemon_dies_at(ProxyPhase phase)
    {
        Requires.Resume(Mounted);
        var served = new ServedMount(Mounted.CacheFolder);
        AtEveryRequest(
            phase,
            (_, _) =>
            {
                if (served.Daemon is { } daemon)
                {
                    Signals.Send(daemon, Signals.Kill);
                }

                return ProxyVerdict.Close;
            },
            _ => served.WaitUntilServing());
    }

    private void AtEveryRequest(ProxyPhase phase, Func<ProxiedRequest, ProxyPhase, ProxyVerdict> fault, Action<int> recover)
    {
        var lines = new List<string>();

        // What a daemon asks once in its life stands before the rest the first time; the second time the rest is met from its beginning.
        var round = AtEveryRequestOfAChange(phase, fault, recover, 0, lines);
        AtEveryRequestOfAChange(phase, fault, recover, round, lines);
        TestContext.Out.WriteLine($"failed at {phase}: {string.Join(", ", lines)}");
        Assert.That(lines, Has.Count.GreaterThan(0), "no request was met: this test has shown nothing");
        Assert.That(phase == ProxyPhase.HalfAnswered || lines.Exists(line => line.StartsWith("PUT ", StringComparison.Ordinal)), Is.True, "the upload itself was met");
        Mounted.Unmount();
    }

    /// <param name="phase">Where each request is hit.</param>
    /// <param name="fault">What becomes of it.</param>
    /// <param name="recover">Makes the daemon well again.</param>
    /// <param name="round">Changes made before.</param>
    /// <param name="lines">Gets the requests that were hit.</param>
    /// <returns>Changes made by now.</returns>
    private int AtEveryRequestOfAChange(ProxyPhase phase, Func<ProxiedRequest, ProxyPhase, ProxyVerdict> fault, Action<int> recover, int round, List<string> lines)
    {
        for (var n = 1; ; n++)
        {
            Assert.That(n, Is.LessThan(100), "a change does not come to an end");
            round++;
            ProxiedRequest? hit = null;
            var changed = 0;
            Proxy.Restart();
            Proxy.Decide = (request, at) =>
            {
                // Listings come when they come; the requests of the publish are those about the model.
                if (at != phase || !request.Line.Contains("/alpha.tar.gz", StringComparison.Ordinal) || hit is not null || Interlocked.Increment(ref changed) != n)
                {
                    return ProxyVerdict.Pass;
                }

                hit = request;
                return fault(request, at);
            };
            Actor.Bash($"echo {round} >> log; echo {round} > .new; mv .new notes", $"{Mounted.Root}/alpha");
            Eventually.True(() => hit is not null || !IsDirty, "the fault, or the end of the publish");
            if (hit is null)
            {
                return round;
            }

            lines.Add(hit.Line.Split('?')[0]);
            recover(n);
            Eventually.True(() => !IsDirty, $"the change is published although {hit.Line} failed at {phase}");
            Proxy.Decide = (_, _) => ProxyVerdict.Pass;
            AssertStoreHas(round, hit);
        }
    }

    private bool IsDirty => CacheEvidence.IsDirty(Mounted.CacheFolder);

    private void AssertStoreHas(int n, ProxiedRequest hit)
    {
        var conflicts = Path.Combine(Mounted.Root, ".modelfs", "conflicts");
        Assert.That(Directory.Exists(conflicts) ? Directory.GetFileSystemEntries(conflicts) : [], Is.Empty, $"{hit}: the only writer is in conflict with nobody");
        _store!.Fetch(_home.At("published"));
        var archive = _home.At("published/alpha.tar.gz");
        Assert.That(Actor.Bash($"tar xzOf {archive} alpha/notes").Output.Trim(), Is.EqualTo(n.ToString(CultureInfo.InvariantCulture)), hit.ToString());
        Assert.That(Actor.Bash($"tar xzOf {archive} alpha/log").Lines, Is.EqualTo(Enumerable.Range(1, n).Select(each => each.ToString(CultureInfo.InvariantCulture))), hit.ToString());
    }
}
