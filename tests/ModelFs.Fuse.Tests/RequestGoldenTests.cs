namespace ModelFs.Fuse.Tests;

/// <summary>Every request of the kernel, byte for byte, leads to one call of one operation, and its answer to one reply.</summary>
public sealed class RequestGoldenTests
{
    private static readonly string ValueHex = Convert.ToHexStringLower("value"u8);
    private static readonly string NamesHex = Convert.ToHexStringLower("user.a\0user.b\0"u8);
    private static readonly string TargetHex = Convert.ToHexStringLower("../t\u00ff"u8);

    private static IEnumerable<TestCaseData> Requests =>
    [
        Case("LOOKUP", 1, Goldens.LookupRequest, "lookup 9 model by 1001:1002 pid 4711", Goldens.EntryReply),
        Case("GETATTR with a handle", 3, Goldens.GetattrRequest, "getattr 9 handle abcd", Goldens.AttrReply),
        Case("GETATTR without a handle", 3, Goldens.Getattr0Request, "getattr 9 handle ", Goldens.AttrReply),
        Case(
            "SETATTR of everything",
            4,
            Goldens.SetattrRequest,
            "setattr 9 " + new FuseSetAttributes
            {
                FileHandle = 0xabcd,
                Mode = 0x81A0,
                Uid = 1001,
                Gid = 1002,
                Size = 0x1234567890,
                AccessTime = new FuseTime(1000, 1),
                ModificationTime = new FuseTime(2000, 2),
                ModificationTimeIsNow = true,
                ChangeTime = new FuseTime(3000, 3),
                LockOwner = 77,
                KillSetId = true,
            },
            Goldens.AttrReply),
        Case(
            "SETATTR of a time before 1970",
            4,
            Goldens.Setattr0Request,
            "setattr 9 " + new FuseSetAttributes { AccessTime = new FuseTime(-5, 9), AccessTimeIsNow = true },
            Goldens.AttrReply),
        Case("READLINK", 5, "", "readlink 9", TargetHex),
        Case("SYMLINK with a target that is not UTF-8", 6, Goldens.SymlinkRequest, "symlink 9 link 2e2e2f74ff", Goldens.EntryReply),
        Case("MKNOD", 8, Goldens.MknodRequest, "mknod 9 pipe 100600 803", Goldens.EntryReply),
        Case("MKDIR", 9, Goldens.MkdirRequest, "mkdir 9 dir 755 22", Goldens.EntryReply),
        Case("UNLINK", 10, Goldens.UnlinkRequest, "unlink 9 gone", ""),
        Case("RMDIR", 11, Goldens.RmdirRequest, "rmdir 9 gone", ""),
        Case("RENAME", 12, Goldens.RenameRequest, "rename 9 old 9 new None", ""),
        Case("LINK", 13, Goldens.LinkRequest, "link 33 9 second", Goldens.EntryReply),
        Case("OPEN", 14, Goldens.OpenRequest, "open 9 WriteOnly truncate True 0x8201", Goldens.OpenReply),
        Case("READ", 15, Goldens.ReadRequest, "read 9 abcd 4096 8 0x8000", Convert.ToHexStringLower("bytes"u8)),
        Case("WRITE", 16, Goldens.WriteRequest, "write 9 abcd 8192 68656c6c6f 0x8001 LockOwner", Goldens.WriteReply),
        Case("STATFS", 17, "", "statfs 9", Goldens.StatfsReply),
        Case("RELEASE", 18, Goldens.ReleaseRequest, "release 9 abcd 0x8001 Flush 77", ""),
        Case("FSYNC", 20, Goldens.FsyncRequest, "fsync 9 abcd True", ""),
        Case("SETXATTR with a slash and NULs", 21, Goldens.SetxattrRequest, "setxattr 9 user.a/b 007800 Create", ""),
        Case("GETXATTR that asks for the size", 22, Goldens.Getxattr0Request, "getxattr 9 user.a", Goldens.GetxattrSizeReply),
        Case("GETXATTR", 22, Goldens.GetxattrRequest, "getxattr 9 user.a", ValueHex),
        Case("GETXATTR with too little room", 22, Goldens.Getxattr4Request, "getxattr 9 user.a", "", FuseErrno.ERANGE),
        Case("LISTXATTR that asks for the size", 23, Goldens.Listxattr0Request, "listxattr 9", Goldens.ListxattrSizeReply),
        Case("LISTXATTR", 23, Goldens.ListxattrRequest, "listxattr 9", NamesHex),
        Case("LISTXATTR with too little room", 23, Goldens.Listxattr4Request, "listxattr 9", "", FuseErrno.ERANGE),
        Case("REMOVEXATTR", 24, Goldens.RemovexattrRequest, "removexattr 9 user.a", ""),
        Case("FLUSH", 25, Goldens.FlushRequest, "flush 9 abcd 77", ""),
        Case("OPENDIR", 27, Goldens.OpenRequest, "opendir 9 0x8201", Goldens.OpenReply),
        Case("READDIR", 28, Goldens.ReaddirRequest, "readdir 9 abcd 3", Goldens.ReaddirReply),
        Case("RELEASEDIR", 29, Goldens.ReleaseRequest, "releasedir 9 abcd 0x8001", ""),
        Case("FSYNCDIR", 30, Goldens.FsyncRequest, "fsyncdir 9 abcd True", ""),
        Case("ACCESS", 34, Goldens.AccessRequest, "access 9 5", ""),
        Case("CREATE", 35, Goldens.CreateRequest, "create 9 fresh ReadWrite 100644 22", Goldens.CreateReply),
        Case("DESTROY", 38, "", "destroy", ""),
        Case("FALLOCATE", 43, Goldens.FallocateRequest, "fallocate 9 abcd 16 4096 1", ""),
        Case("READDIRPLUS", 44, Goldens.ReaddirplusRequest, "readdirplus 9 abcd 3", Goldens.ReaddirplusReply),
        Case("RENAME2", 45, Goldens.Rename2Request, "rename 9 old 9 new NoReplace", ""),
        Case("LSEEK", 46, Goldens.LseekRequest, "lseek 9 abcd 16 Hole", Goldens.LseekReply),
    ];

    private static IEnumerable<TestCaseData> NotServed =>
        new (string Name, uint Opcode)[]
        {
            ("GETLK", 31), ("SETLK", 32), ("SETLKW", 33), ("BMAP", 37), ("IOCTL", 39), ("POLL", 40), ("COPY_FILE_RANGE", 47),
            ("SETUPMAPPING", 48), ("REMOVEMAPPING", 49), ("SYNCFS", 50), ("TMPFILE", 51), ("STATX", 52), ("COPY_FILE_RANGE_64", 53),
            ("a hole in the numbers", 7), ("a number to come", 99), ("a number beyond all tables", uint.MaxValue),
        }.Select(row => new TestCaseData(row.Opcode).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Requests))]
    public async Task A_request_calls_its_operation_and_the_answer_is_the_kernels_structure(
        uint opcode, string payload, string call, string reply, FuseErrno errno)
    {
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);

        FakeReply answer = await kernel.AskAsync(opcode, 9, Convert.FromHexString(payload));

        Assert.That(operations.Calls, Is.EqualTo(new[] { call }));
        Assert.That(answer.Errno, Is.EqualTo(errno));
        Assert.That(Convert.ToHexStringLower(answer.Body), Is.EqualTo(reply));
    }

    [TestCaseSource(nameof(NotServed))]
    public async Task What_nobody_serves_is_answered_with_ENOSYS(uint opcode)
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations());

        FakeReply answer = await kernel.AskAsync(opcode, 9, new byte[48]);

        Assert.That(answer.Errno, Is.EqualTo(FuseErrno.ENOSYS));
    }

    [Test]
    public async Task Forgets_reach_the_file_system_and_are_never_answered()
    {
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);
        ulong single = kernel.NextUnique();
        ulong batch = kernel.NextUnique();
        Task<FakeReply> singleReply = kernel.Expect(single);
        Task<FakeReply> batchReply = kernel.Expect(batch);

        kernel.Send(FakeKernel.Request(2, 9, single, Convert.FromHexString(Goldens.ForgetRequest)));
        kernel.Send(FakeKernel.Request(42, 0, batch, Convert.FromHexString(Goldens.BatchForgetRequest)));
        await kernel.AskAsync(17, 1, []);

        Assert.That(operations.Calls, Is.EqualTo(new[] { "forget 9 5", "forget 5 6", "forget 7 8", "statfs 1" }));
        Assert.That(singleReply.IsCompleted || batchReply.IsCompleted, Is.False);
    }

    [Test]
    public async Task A_passthrough_open_carries_its_backing_id()
    {
        var operations = new ScriptedOperations { OpenAnswer = new(0xabcd, FuseOpenFlags.Passthrough, 9) };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);

        FakeReply answer = await kernel.AskAsync(14, 9, Convert.FromHexString(Goldens.OpenRequest));

        Assert.That(Convert.ToHexStringLower(answer.Body), Is.EqualTo(Goldens.OpenPassthroughReply));
    }

    [TestCase(FuseOpenFlags.Passthrough | FuseOpenFlags.KeepCache, 9)]
    [TestCase(FuseOpenFlags.Passthrough | FuseOpenFlags.NonSeekable, 9)]
    [TestCase(FuseOpenFlags.Passthrough | FuseOpenFlags.CacheDirectory, 9)]
    [TestCase(FuseOpenFlags.Passthrough, 0)]
    [TestCase(FuseOpenFlags.KeepCache, 9)]
    public async Task An_open_that_the_kernel_would_refuse_is_EIO_with_a_reason_and_released(FuseOpenFlags flags, int backingId)
    {
        var operations = new ScriptedOperations { OpenAnswer = new(0xabcd, flags, backingId) };
        var log = new RecordingLog();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, log: log);

        FakeReply opened = await kernel.AskAsync(14, 9, Convert.FromHexString(Goldens.OpenRequest));
        FakeReply created = await kernel.AskAsync(35, 9, Convert.FromHexString(Goldens.CreateRequest));

        Assert.That(opened.Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That(created.Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That(log.Exceptions, Has.Some.InstanceOf<ArgumentException>().With.Message.Contains("Passthrough"));
        await kernel.CloseAsync();
        Assert.That(operations.Calls, Has.Some.StartsWith("release 9 abcd").And.Some.StartsWith("release 42 abcd").And.Some.EqualTo("forget 42 1"));
    }

    private static TestCaseData Case(string name, uint opcode, string payload, string call, string reply, FuseErrno errno = FuseErrno.None) =>
        new TestCaseData(opcode, payload, call, reply, errno).SetArgDisplayNames(name);
}
