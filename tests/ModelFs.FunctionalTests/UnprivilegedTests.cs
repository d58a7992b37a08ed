using ModelFs.FunctionalTests.Harness;

namespace ModelFs.FunctionalTests;

/// <summary>Mounting without rights, by fusermount3; run as root these tests become the user nobody in a mount namespace of their own.</summary>
internal sealed class UnprivilegedTests : MountFixture
{
    [Test]
    [Promise("M4")]
    public void A_plain_user_mounts_reads_writes_and_unmounts()
    {
        Requires.Root();
        Requires.Tool("/usr/bin/fusermount3");
        Pack("bert:A");
        Actor.Run("/bin/cp", "-r", Path.GetDirectoryName(RepositoryPaths.Program)!, Folder.At("program"));
        // The device node of many machines is for root only; inside of the namespace it is for all, as distributions set it up.
        var device = Folder.At("fuse");
        if (Actor.TryBash($"mknod {device} c 10 229 && chmod 666 {device} && unshare -m mount --bind {device} /dev/fuse").ExitCode != 0)
        {
            Assert.Ignore("needs the rights to make a device node and a mount namespace");
        }

        Directory.CreateDirectory(Folder.At("models"));
        Directory.CreateDirectory(Folder.At("home"));
        Actor.Bash($"chown -R nobody {StoreFolder} {Folder.At("models")} {Folder.At("home")}");
        var script =
            $"""
            set -euo pipefail
            export HOME={Folder.At("home")} PATH={Folder.At("program")}:$PATH
            cd {Folder.Path}
            modelfs mount {StoreFolder} models --settle 0.2 --log-file home/log
            grep -q ' fuse.modelfs ' /proc/self/mountinfo
            ls models
            cat models/bert/metadata.json > /dev/null
            echo changed > models/bert/notes.txt
            test "$(stat -c %U models/bert)" = nobody
            modelfs unmount models
            """;
        File.WriteAllText(Folder.At("session"), script);
        var session = Actor.TryBash($"unshare -m bash -c 'mount --make-rprivate / && mount --bind {device} /dev/fuse && exec setpriv --reuid=65534 --regid=65534 --clear-groups bash {Folder.At("session")}'");
        Assert.That(session.ExitCode, Is.Zero, session.Output + session.Error + (File.Exists(Folder.At("home/log")) ? File.ReadAllText(Folder.At("home/log")) : ""));
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }

    [Test]
    [Promise("M4")]
    public void A_daemon_without_rights_serves_a_mount_that_root_made()
    {
        Requires.Root();
        Pack("bert:A");
        Actor.Bash($"chown -R nobody {StoreFolder} && mkdir {Folder.At("cache")} && chown nobody {Folder.At("cache")}");
        Actor.Run("/bin/cp", "-r", Path.GetDirectoryName(RepositoryPaths.Program)!, Folder.At("program"));
        var root = Folder.Create("models");
        Actor.Run(Folder.At("program/modelfs"), "mount", StoreFolder, root, "--cache-dir", Folder.At("cache"), "--log-file", Folder.At("log"), "--user", "65534:65534", "--allow-other", "--settle", "0.2");
        var daemon = File.ReadAllText(Path.Combine(root, ".modelfs/status.json")).Split("\"daemonPid\":")[1].TrimStart().Split([',', '\n', '}'])[0];
        Assert.That(Actor.Bash($"awk '/^Uid:/ {{ print $2 }}' /proc/{daemon}/status").Output.Trim(), Is.EqualTo("65534"));
        Assert.That(File.ReadAllText(Path.Combine(root, "bert", "metadata.json")), Does.Contain("bert"));
        Actor.Bash($"setpriv --reuid=65534 --regid=65534 --clear-groups bash -c 'echo changed > {root}/bert/notes.txt'");
        Actor.Run(Folder.At("program/modelfs"), "unmount", root);
        Assert.That(MembersOf("bert"), Does.Contain("notes.txt"));
    }
}
