using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ModelFs.Cache.Tests;
using ModelFs.FileSystem.Tests;
using ModelFs.Fuse;

namespace ModelFs.Mount.Tests;

/// <summary>What the kernel asks becomes what the file system does, and its answers the kernel's.</summary>
internal sealed class FuseOperationsAdapterTests
{
    private const uint ReadOnly = 0;
    private const uint ReadWrite = 2;
    private const int LargeBytes = 1 << 20;

    private readonly FakeBackingFiles _files = new();
    private FileSystemRig _rig = null!;
    private FuseOperationsAdapter _adapter = null!;
    private PassthroughTable _passthrough = null!;
    private ulong _unique;

    [SetUp]
    public async Task Start()
    {
        _rig = await FileSystemRig.StartAsync(
            null, null, ("m.tar.gz", SampleArchive.Of(("one", "1"), ("sub/two", "2"))), ("other.tar.gz", SampleArchive.Of(("x", "x"), ("large", new string('l', LargeBytes)))), ("cut.tar.gz", [31, 139, 8]));
        _passthrough = new PassthroughTable(_files, NullLogger<PassthroughTable>.Instance);
        _adapter = new FuseOperationsAdapter(_rig.FileSystem, _passthrough, new MountOwner(1000, 1001), NullLogger<FuseOperationsAdapter>.Instance);
    }

    [TearDown]
    public async Task Stop() => await _rig.DisposeAsync();

    [Test]
    public async Task Everything_belongs_to_the_owner_of_the_mount()
    {
        var entry = await LookupAsync(1, "m");
        Assert.That((entry.Attributes.Uid, entry.Attributes.Gid), Is.EqualTo((1000u, 1001u)));
        Assert.That(entry.NodeId, Is.Not.Zero);
    }

    [Test]
    public async Task Each_listed_entry_counts_as_one_look_up_and_what_did_not_fit_as_none()
    {
        var model = (await LookupAsync(1, "m")).NodeId;
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            await _rig.WriteFileAsync(model, name, name);
        }

        foreach (var id in Enumerable.Range(1, 100).Select(id => (ulong)id).Where(id => id != 1 && id != model))
        {
            _rig.FileSystem.Forget(id, 1_000);
        }

        var handle = (await _adapter.OpenDirectoryAsync(Request(), model, new FuseFileFlags(ReadOnly))).Value.FileHandle;
        var listed = new List<(string Name, ulong Node)>();
        for (long offset = 0; ;)
        {
            var memory = new byte[400];
            var buffer = new FuseDirectoryPlusBuffer(memory);
            Assert.That((await _adapter.ReadDirectoryPlusAsync(Request(), model, handle, offset, buffer)).Errno, Is.EqualTo(FuseErrno.None));
            if (buffer.Length == 0)
            {
                break;
            }

            offset = Parse(memory.AsSpan(0, buffer.Length), listed);
        }

        Assert.That(listed.Select(entry => entry.Name), Is.EqualTo(new[] { ".", "..", "a", "b", "c", "d", "one", "sub" }));
        foreach (var (name, node) in listed.Skip(2))
        {
            Assert.That(_rig.FileSystem.GetAttributes(node).Error, Is.EqualTo(Cache.Posix.Errno.None), name);
            _adapter.Forget(node, 1);
            Assert.That(_rig.FileSystem.GetAttributes(node).Error, Is.EqualTo(Cache.Posix.Errno.ESTALE), $"{name} was handed out once");
        }
    }

    [Test]
    public async Task Renames_across_models_are_EXDEV_and_of_published_models_EPERM()
    {
        var (from, to) = ((await LookupAsync(1, "m")).NodeId, (await LookupAsync(1, "other")).NodeId);
        await LookupAsync(from, "one");
        await LookupAsync(to, "x");
        Assert.That((await _adapter.RenameAsync(Request(), from, "one", to, "one", FuseRenameFlags.None)).Errno, Is.EqualTo(FuseErrno.EXDEV));
        Assert.That((await _adapter.RenameAsync(Request(), 1, "m", 1, "n", FuseRenameFlags.None)).Errno, Is.EqualTo(FuseErrno.EPERM));
        Assert.That((await _adapter.RenameAsync(Request(), from, "one", from, "two", FuseRenameFlags.Whiteout)).Errno, Is.EqualTo(FuseErrno.EINVAL));
    }

    [Test]
    public async Task What_a_model_can_t_hold_is_EPERM()
    {
        var model = (await LookupAsync(1, "m")).NodeId;
        var one = (await LookupAsync(model, "one")).NodeId;
        Assert.That((await _adapter.LinkAsync(Request(), one, model, "hard")).Errno, Is.EqualTo(FuseErrno.EPERM));
        Assert.That((await _adapter.MakeNodeAsync(Request(), model, "fifo", 0x11A4, 0)).Errno, Is.EqualTo(FuseErrno.EPERM));
        Assert.That((await _adapter.CreateSymbolicLinkAsync(Request(), model, "out", "/etc/passwd"u8.ToArray())).Errno, Is.EqualTo(FuseErrno.EPERM));
        Assert.That((await _adapter.CreateSymbolicLinkAsync(Request(), model, "bad", new byte[] { 0xFF })).Errno, Is.EqualTo(FuseErrno.EINVAL));
        Assert.That((await _adapter.CreateAsync(Request(), 1, "file", new FuseFileFlags(ReadWrite), 0x1A4, 0)).Errno, Is.EqualTo(FuseErrno.EPERM));
        Assert.That((await _adapter.MakeDirectoryAsync(Request(), 1, ".hidden", 0x1ED, 0)).Errno, Is.EqualTo(FuseErrno.EPERM));
        Assert.That((await _adapter.MakeDirectoryAsync(Request(), 1, "a___b", 0x1ED, 0)).Errno, Is.EqualTo(FuseErrno.EINVAL));
    }

    [Test]
    public async Task A_model_that_can_t_be_had_is_one_errno()
    {
        var cut = (await LookupAsync(1, "cut")).NodeId;
        Assert.That((await _adapter.LookupAsync(Request(), cut, "x")).Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That((await _adapter.CreateAsync(Request(), cut, "x", new FuseFileFlags(ReadWrite), 0x1A4, 0)).Errno, Is.EqualTo(FuseErrno.EIO));
    }

    [Test]
    public async Task A_caller_that_is_interrupted_stops_waiting_for_a_fetch()
    {
        _rig.Store.BeforeRead = _ => Task.Delay(Timeout.Infinite);
        var model = (await LookupAsync(1, "m")).NodeId;
        var request = Request();
        var waiting = _adapter.LookupAsync(request, model, "one").AsTask();
        request.Interrupt();
        await Assert.ThrowsAsync<TaskCanceledException>(() => waiting);
    }

    [Test]
    public async Task A_large_file_passes_through_and_a_control_file_never()
    {
        var probe = Path.GetTempFileName();
        _passthrough.Decide(null, probe);
        File.Delete(probe);
        var large = (await LookupAsync((await LookupAsync(1, "other")).NodeId, "large")).NodeId;
        var opened = (await _adapter.OpenAsync(Request(), large, new FuseFileFlags(ReadOnly))).Value;
        Assert.That(opened.OpenFlags & FuseOpenFlags.Passthrough, Is.EqualTo(FuseOpenFlags.Passthrough));
        Assert.That(opened.BackingId, Is.EqualTo(_files.Registered[large]));
        await _adapter.ReleaseAsync(Request(), large, opened.FileHandle, new FuseFileFlags(ReadOnly), default, 0);
        _adapter.Forget(large, 1);
        Assert.That(_files.Registered, Is.Empty);

        var status = (await LookupAsync((await LookupAsync(1, ".modelfs")).NodeId, "status.json")).NodeId;
        var control = (await _adapter.OpenAsync(Request(), status, new FuseFileFlags(ReadOnly))).Value;
        Assert.That((control.OpenFlags & FuseOpenFlags.DirectIo, control.BackingId), Is.EqualTo((FuseOpenFlags.DirectIo, 0)));
    }

    [Test]
    public async Task A_small_file_is_kept_in_the_page_cache_until_it_is_opened_for_writing()
    {
        var probe = Path.GetTempFileName();
        _passthrough.Decide(null, probe);
        File.Delete(probe);
        var one = (await LookupAsync((await LookupAsync(1, "m")).NodeId, "one")).NodeId;
        Assert.That(await OpenedAsync(one, ReadOnly), Is.EqualTo(FuseOpenFlags.KeepCache));
        Assert.That(await OpenedAsync(one, ReadWrite), Is.EqualTo(FuseOpenFlags.Passthrough));
        Assert.That(await OpenedAsync(one, ReadOnly), Is.EqualTo(FuseOpenFlags.Passthrough));
    }

    [Test]
    public async Task Reading_and_writing_go_through_the_daemon_where_nothing_passes_through()
    {
        var one = (await LookupAsync((await LookupAsync(1, "m")).NodeId, "one")).NodeId;
        var opened = (await _adapter.OpenAsync(Request(), one, new FuseFileFlags(ReadWrite))).Value;
        Assert.That(opened.OpenFlags & (FuseOpenFlags.Passthrough | FuseOpenFlags.KeepCache), Is.EqualTo(FuseOpenFlags.KeepCache));
        Assert.That((await _adapter.WriteAsync(Request(), one, opened.FileHandle, 1, "23"u8.ToArray(), default, default)).Value, Is.EqualTo(2));
        var buffer = new byte[10];
        Assert.That((await _adapter.ReadAsync(Request(), one, opened.FileHandle, 0, buffer, default)).Value, Is.EqualTo(3));
        Assert.That(Encoding.ASCII.GetString(buffer, 0, 3), Is.EqualTo("123"));
        Assert.That((await _adapter.ReadAsync(Request(), one, 12345, 0, buffer, default)).Errno, Is.EqualTo(FuseErrno.EBADF));
    }

    private static long Parse(ReadOnlySpan<byte> records, List<(string Name, ulong Node)> listed)
    {
        const int entryBytes = 128;
        const int headerBytes = 24;
        long next = 0;
        while (!records.IsEmpty)
        {
            var node = BinaryPrimitives.ReadUInt64LittleEndian(records);
            next = BinaryPrimitives.ReadInt64LittleEndian(records[(entryBytes + 8)..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(records[(entryBytes + 16)..]);
            listed.Add((Encoding.UTF8.GetString(records.Slice(entryBytes + headerBytes, length)), node));
            records = records[((entryBytes + headerBytes + length + 7) & ~7)..];
        }

        return next;
    }

    private FuseRequest Request() => new(++_unique, 1, 1000, 1001, 1);

    private async Task<FuseOpenFlags> OpenedAsync(ulong node, uint access)
    {
        var opened = (await _adapter.OpenAsync(Request(), node, new FuseFileFlags(access))).Value;
        await _adapter.ReleaseAsync(Request(), node, opened.FileHandle, new FuseFileFlags(access), default, 0);
        return opened.OpenFlags & (FuseOpenFlags.Passthrough | FuseOpenFlags.KeepCache);
    }

    private async Task<FuseEntry> LookupAsync(ulong parent, string name)
    {
        var found = await _adapter.LookupAsync(Request(), parent, name);
        Assert.That(found.Errno, Is.EqualTo(FuseErrno.None), name);
        return found.Value;
    }
}
