using ModelFs.Cli.Mounts;

namespace ModelFs.Cli.Tests;

public sealed class HolderScanTests
{
    private string _proc = "";

    [SetUp]
    public void MakeProc() => _proc = Directory.CreateTempSubdirectory("modelfs-proc").FullName;

    [TearDown]
    public void RemoveProc() => Directory.Delete(_proc, recursive: true);

    [Test]
    public void Working_directories_open_files_and_mapped_files_hold_a_mount()
    {
        AddProcess(11, "bash", "/mnt/models/bert");
        AddProcess(12, "python3", "/home", openFile: "/mnt/models/bert/w.bin");
        AddProcess(13, "server", "/home", mapping: "/mnt/models/gpt/w.bin");
        AddProcess(14, "other", "/mnt/models2", openFile: "/mnt/models2/x", mapping: "/usr/lib/libc.so");
        Directory.CreateDirectory(Path.Combine(_proc, "sys"));
        Assert.That(HolderScan.Run(_proc, "/mnt/models").OrderBy(holder => holder.Pid), Is.EqualTo(new[]
        {
            new MountHolder(11, "bash", "working directory /mnt/models/bert"),
            new MountHolder(12, "python3", "open file /mnt/models/bert/w.bin"),
            new MountHolder(13, "server", "mapped file /mnt/models/gpt/w.bin"),
        }));
    }

    [Test]
    public void A_process_that_has_ended_meanwhile_is_skipped()
    {
        Directory.CreateDirectory(Path.Combine(_proc, "15"));
        Assert.That(HolderScan.Run(_proc, "/mnt/models"), Is.Empty);
    }

    [Test]
    public void This_process_holds_its_own_working_directory() =>
        Assert.That(HolderScan.Run("/proc", Environment.CurrentDirectory).Select(holder => holder.Pid), Does.Contain(Environment.ProcessId));

    private void AddProcess(int pid, string name, string cwd, string? openFile = null, string? mapping = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_proc, $"{pid}")).FullName;
        File.WriteAllText(folder + "/comm", name + "\n");
        File.CreateSymbolicLink(folder + "/cwd", cwd);
        File.CreateSymbolicLink(folder + "/root", "/");
        Directory.CreateDirectory(folder + "/fd");
        File.CreateSymbolicLink(folder + "/fd/0", openFile ?? "/dev/null");
        File.WriteAllText(folder + "/maps", "7f00-7f01 r--p 00000000 00:00 0\n" + (mapping is null ? "" : $"7f02-7f03 r--s 00000000 00:35 9      {mapping}\n"));
    }
}
