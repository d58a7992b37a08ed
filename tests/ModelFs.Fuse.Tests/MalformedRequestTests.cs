using System.Buffers.Binary;
using System.Text;

namespace ModelFs.Fuse.Tests;

/// <summary>What is too short, too long or not a name never reaches an operation and never leads to a read beyond its end.</summary>
public sealed class MalformedRequestTests
{
    private const uint Lookup = 1;

    private static readonly uint[] WithoutReply = [2, 36, 42];

    private static IEnumerable<TestCaseData> Whole =>
        new (string Name, uint Opcode, string Payload)[]
        {
            ("LOOKUP", 1, Goldens.LookupRequest),
            ("FORGET", 2, Goldens.ForgetRequest),
            ("GETATTR", 3, Goldens.GetattrRequest),
            ("SETATTR", 4, Goldens.SetattrRequest),
            ("SYMLINK", 6, Goldens.SymlinkRequest),
            ("MKNOD", 8, Goldens.MknodRequest),
            ("MKDIR", 9, Goldens.MkdirRequest),
            ("UNLINK", 10, Goldens.UnlinkRequest),
            ("RMDIR", 11, Goldens.RmdirRequest),
            ("RENAME", 12, Goldens.RenameRequest),
            ("LINK", 13, Goldens.LinkRequest),
            ("OPEN", 14, Goldens.OpenRequest),
            ("READ", 15, Goldens.ReadRequest),
            ("WRITE", 16, Goldens.WriteRequest),
            ("RELEASE", 18, Goldens.ReleaseRequest),
            ("FSYNC", 20, Goldens.FsyncRequest),
            ("SETXATTR", 21, Goldens.SetxattrRequest),
            ("GETXATTR", 22, Goldens.GetxattrRequest),
            ("LISTXATTR", 23, Goldens.ListxattrRequest),
            ("REMOVEXATTR", 24, Goldens.RemovexattrRequest),
            ("FLUSH", 25, Goldens.FlushRequest),
            ("OPENDIR", 27, Goldens.OpenRequest),
            ("READDIR", 28, Goldens.ReaddirRequest),
            ("RELEASEDIR", 29, Goldens.ReleaseRequest),
            ("FSYNCDIR", 30, Goldens.FsyncRequest),
            ("ACCESS", 34, Goldens.AccessRequest),
            ("CREATE", 35, Goldens.CreateRequest),
            ("INTERRUPT", 36, Goldens.InterruptRequest),
            ("BATCH_FORGET", 42, Goldens.BatchForgetRequest),
            ("FALLOCATE", 43, Goldens.FallocateRequest),
            ("READDIRPLUS", 44, Goldens.ReaddirplusRequest),
            ("RENAME2", 45, Goldens.Rename2Request),
            ("LSEEK", 46, Goldens.LseekRequest),
        }.Select(row => new TestCaseData(row.Opcode, row.Payload).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Whole))]
    public async Task A_request_cut_at_any_byte_is_EINVAL(uint opcode, string payloadHex)
    {
        byte[] payload = Convert.FromHexString(payloadHex);
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        for (int length = 0; length < payload.Length; length++)
        {
            await ExpectRefusedAsync(kernel, opcode, payload[..length]);
        }

        Assert.That(operations.Calls, Is.Empty);
    }

    [TestCaseSource(nameof(Whole))]
    public async Task A_request_with_more_than_it_holds_is_EINVAL(uint opcode, string payloadHex)
    {
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        await ExpectRefusedAsync(kernel, opcode, [.. Convert.FromHexString(payloadHex), (byte)'x']);

        Assert.That(operations.Calls, Is.Empty);
    }

    [TestCase(1)]
    [TestCase(-1)]
    public async Task A_message_that_says_another_length_than_it_has_is_EIO(int difference)
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations());
        byte[] message = FakeKernel.Request(Lookup, 1, 0x20, Convert.FromHexString(Goldens.LookupRequest));
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length + difference);

        Task<FakeReply> reply = kernel.Expect(0x20);
        kernel.Send(message);

        Assert.That((await reply).Errno, Is.EqualTo(FuseErrno.EIO));
    }

    [Test]
    public async Task A_message_without_a_whole_header_is_logged_and_the_next_is_served()
    {
        var log = new RecordingLog();
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations(), log: log);

        kernel.Send(new byte[39]);
        FakeReply next = await kernel.AskAsync(17, 1, []);

        Assert.That(next.Errno, Is.EqualTo(FuseErrno.None));
        Assert.That(() => log.Lines, Has.Some.StartsWith("Error").After(30_000, 5));
    }

    [TestCase("", TestName = "An_empty_name_is_EINVAL")]
    [TestCase("612f62", TestName = "A_name_with_a_slash_is_EINVAL")]
    [TestCase("c328", TestName = "A_name_that_is_not_UTF_8_is_EINVAL")]
    [TestCase("6100", TestName = "A_name_with_a_NUL_is_EINVAL")]
    public async Task A_name_that_is_none_is_EINVAL(string nameHex)
    {
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);

        await ExpectRefusedAsync(kernel, Lookup, [.. Convert.FromHexString(nameHex), 0]);

        Assert.That(operations.Calls, Is.Empty);
    }

    [Test]
    public async Task A_name_of_255_bytes_outside_of_ASCII_arrives_whole()
    {
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);
        string name = new('\u6a21', 85);

        await kernel.AskAsync(Lookup, 1, Encoding.UTF8.GetBytes(name + "\0"));

        Assert.That(operations.Calls.Single(), Does.Contain(name));
    }

    [TestCase(15u)]
    [TestCase(28u)]
    [TestCase(44u)]
    public async Task A_read_of_more_than_was_agreed_on_or_before_the_beginning_is_EINVAL(uint opcode)
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations());
        byte[] tooMuch = new byte[40];
        BinaryPrimitives.WriteUInt32LittleEndian(tooMuch.AsSpan(16), uint.MaxValue);
        byte[] before = new byte[40];
        BinaryPrimitives.WriteInt64LittleEndian(before.AsSpan(8), -1);

        Assert.That((await kernel.AskAsync(opcode, 9, tooMuch)).Errno, Is.EqualTo(FuseErrno.EINVAL));
        Assert.That((await kernel.AskAsync(opcode, 9, before)).Errno, Is.EqualTo(FuseErrno.EINVAL));
    }

    [Test]
    public async Task Random_bytes_never_end_the_session()
    {
        int seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var operations = new ScriptedOperations();
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        for (int i = 0; i < 5_000; i++)
        {
            byte[] payload = new byte[random.Next(0, 120)];
            random.NextBytes(payload);
            kernel.Send(FakeKernel.Request((uint)random.Next(0, 60), 1, kernel.NextUnique(), payload));
        }

        FakeReply last = await kernel.AskAsync(17, 77, []);

        Assert.That(last.Errno, Is.EqualTo(FuseErrno.None));
        Assert.That(operations.Calls, Does.Contain("statfs 77"));
    }

    private static async Task ExpectRefusedAsync(FakeKernel kernel, uint opcode, byte[] payload)
    {
        if (!WithoutReply.Contains(opcode))
        {
            Assert.That((await kernel.AskAsync(opcode, 9, payload)).Errno, Is.EqualTo(FuseErrno.EINVAL), $"{payload.Length} bytes");
            return;
        }

        ulong unique = kernel.NextUnique();
        Task<FakeReply> reply = kernel.Expect(unique);
        kernel.Send(FakeKernel.Request(opcode, 9, unique, payload));
        await kernel.AskAsync(38, 1, [1]);
        Assert.That(reply.IsCompleted, Is.False, "there is no reply to this request, not even an error");
    }
}
