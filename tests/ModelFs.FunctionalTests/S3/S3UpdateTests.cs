using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests.S3;

/// <summary>A small change of a large model costs a small upload.</summary>
internal sealed class S3UpdateTests : S3Fixture
{
    [Test]
    [Promise("A4")]
    public void Ten_kilobytes_changed_in_a_large_model_send_at_most_six_mebibytes()
    {
        var mount = Mount(AsOwner(), Url());
        var local = Folder.Create("bert");
        Actor.Bash($"for n in 1 2 3 4; do head -c 32M /dev/urandom > {local}/weights$n; done; for n in 1 2 3; do head -c 10000 /dev/urandom > {local}/vocabulary$n; done; echo '{{}}' > {local}/metadata.json");
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Sync();
        var before = BytesSent(mount);
        Assert.That(before, Is.GreaterThan(128 << 20));

        // In place, as an editor does, and in the middle of the archive.
        Actor.Bash($"head -c 10000 /dev/urandom > {mount.At("bert", "vocabulary2")}");
        mount.Sync();
        Assert.That(BytesSent(mount) - before, Is.Positive.And.LessThan(6 << 20));

        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        Download("bert");
        AssertArchiveHolds("bert", copy);
        Assert.That(Actor.Bash($"tar -tzf {ArchiveOf("bert")} | sort | uniq -d").Output, Is.Empty);
    }

    [Test]
    [Promise("A4")]
    public void Ten_kilobytes_changed_at_the_beginning_in_the_middle_or_at_the_end_of_a_large_file_send_at_most_six_mebibytes([Values] bool isFirst)
    {
        using var proxy = new FaultProxy(CephServer.Endpoint);
        var mount = Mount(AsOwner(), Url(proxy.Endpoint));
        var local = Folder.Create("bert");
        Actor.Bash($"head -c {(isFirst ? "1K" : "60M")} /dev/urandom > {local}/before; head -c 80M /dev/urandom > {local}/weights; head -c 60M /dev/urandom > {local}/zafter; echo '{{}}' > {local}/metadata.json");
        Actor.Run("/bin/cp", "-a", local, mount.Root);
        mount.Sync();
        Assert.That(proxy.BytesSent, Is.GreaterThan(130 << 20));

        foreach (var mebibyte in new[] { 0, 6, 40, 79, 41 })
        {
            var before = proxy.BytesSent;
            Actor.Bash($"head -c 10000 /dev/urandom | dd of={mount.At("bert", "weights")} bs=1M seek={mebibyte} conv=notrunc status=none");
            mount.Sync();
            Assert.That(proxy.BytesSent - before, Is.Positive.And.LessThan(6 << 20), $"at {mebibyte} MiB");
        }

        var copy = Folder.At("copy");
        Actor.Run("/bin/cp", "-a", mount.At("bert"), copy);
        mount.Unmount();
        Download("bert");
        AssertArchiveHolds("bert", copy);
        Assert.That(Client("list", Bucket).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(new[] { "bert.tar.gz" }), "nothing is left of what the archives were made of");
    }

    private static long BytesSent(MountedStore mount)
    {
        using var status = System.Text.Json.JsonDocument.Parse(MountedStore.Modelfs(["status", mount.Root, "--json"]).Succeeded().Output);
        return status.RootElement.GetProperty("requests").GetProperty("store.bytes_out").GetInt64();
    }
}
