using System.Text;
using Microsoft.Win32.SafeHandles;
using ModelFs.Mount.Keeper;

namespace ModelFs.Mount.Tests.Keeper;

[TestFixture]
[CancelAfter(60_000)]
public sealed class KeeperChannelTests
{
    private const int Eperm = 1;
    private const int Enotconn = 107;

    private static SafeFileHandle NewFile(string content)
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, content);
        SafeFileHandle file = File.OpenHandle(path);
        File.Delete(path);
        return file;
    }

    private static async Task<KeeperException> FailureOf(Task call)
    {
        try
        {
            await call;
        }
        catch (KeeperException failure)
        {
            return failure;
        }
        throw new AssertionException("The call did not fail.");
    }

    private static string ReadAll(SafeFileHandle file)
    {
        byte[] content = new byte[100];
        return Encoding.UTF8.GetString(content, 0, RandomAccess.Read(file, content, 0));
    }

    [Test]
    public void The_first_hello_has_no_mount_behind_it()
    {
        using FakeKeeper keeper = new();
        keeper.Send(new KeeperMessageHeader(KeeperMessageType.Hello, 0, 0, 0, 0, 4711));
        KeeperHello hello = keeper.Channel.ReceiveHello();
        Assert.That(hello.IsResumed, Is.False);
        Assert.That(hello.KeeperProcessId, Is.EqualTo(4711));
        Assert.That(hello.Device, Is.Null);
        Assert.That(hello.Saved.IsEmpty, Is.True);
    }

    [Test]
    public void A_resumed_hello_brings_the_device_and_what_was_saved()
    {
        using FakeKeeper keeper = new();
        using SafeFileHandle device = NewFile("the device");
        byte[] saved = Enumerable.Range(0, KeeperChannel.SavedBytesMax).Select(i => (byte)i).ToArray();
        keeper.Send(new KeeperMessageHeader(KeeperMessageType.Hello, 0, 0, KeeperMessageHeader.HelloResumed, 0, 1), saved, device);
        KeeperHello hello = keeper.Channel.ReceiveHello();
        Assert.That(hello.IsResumed, Is.True);
        Assert.That(hello.Saved.ToArray(), Is.EqualTo(saved));
        Assert.That(ReadAll(hello.Device!), Is.EqualTo("the device"));
        hello.Device!.Dispose();
    }

    [Test]
    public async Task Mount_returns_the_descriptor_of_the_answer()
    {
        using FakeKeeper keeper = new();
        Task<SafeFileHandle> mount = Task.Run(keeper.Channel.Mount);
        KeeperMessage call = keeper.Receive();
        Assert.That(call.Header.Type, Is.EqualTo(KeeperMessageType.Mount));
        using (SafeFileHandle device = NewFile("fuse"))
        {
            keeper.Answer(call, descriptor: device);
        }
        using SafeFileHandle received = await mount;
        Assert.That(ReadAll(received), Is.EqualTo("fuse"));
    }

    [Test]
    public async Task A_refused_mount_says_what_to_do()
    {
        using FakeKeeper keeper = new();
        Task<SafeFileHandle> mount = Task.Run(keeper.Channel.Mount);
        keeper.Answer(keeper.Receive(), -Eperm, payload: "chmod 0666 /dev/fuse"u8);
        KeeperException refused = await FailureOf(mount);
        Assert.That(refused.Errno, Is.EqualTo(Eperm));
        Assert.That(refused.Message, Is.EqualTo("chmod 0666 /dev/fuse"));
    }

    [Test]
    public async Task Each_call_has_the_bytes_that_the_keeper_reads()
    {
        using FakeKeeper keeper = new();
        using SafeFileHandle file = NewFile("backing");
        List<(Action Call, KeeperMessageHeader Expected, string Payload)> calls =
        [
            (() => keeper.Channel.Ready(true), new(KeeperMessageType.Ready, 1, 0, 1, 0, 0), ""),
            (() => keeper.Channel.Ready(false), new(KeeperMessageType.Ready, 2, 0, 0, 0, 0), ""),
            (() => keeper.Channel.Fail("no such bucket"), new(KeeperMessageType.Fail, 3, 0, 0, 0, 0), "no such bucket"),
            (() => keeper.Channel.Save("state"u8), new(KeeperMessageType.Save, 4, 0, 0, 0, 0), "state"),
            (() => keeper.Channel.BackingClose(ulong.MaxValue), new(KeeperMessageType.BackingClose, 5, 0, 0, ulong.MaxValue, 0), ""),
            (() => keeper.Channel.Unmount(true), new(KeeperMessageType.Unmount, 6, 0, 1, 0, 0), ""),
            (() => keeper.Channel.Unmount(false), new(KeeperMessageType.Unmount, 7, 0, 0, 0, 0), ""),
        ];
        foreach ((Action call, KeeperMessageHeader expected, string payload) in calls)
        {
            Task running = Task.Run(call);
            KeeperMessage message = keeper.Receive();
            Assert.That(message.Header, Is.EqualTo(expected));
            Assert.That(Encoding.UTF8.GetString(message.Payload.Span), Is.EqualTo(payload));
            Assert.That(message.Descriptor, Is.Null);
            keeper.Answer(message);
            await running;
        }
        Task<int> opening = Task.Run(() => keeper.Channel.BackingOpen(42, file));
        KeeperMessage open = keeper.Receive();
        Assert.That(open.Header, Is.EqualTo(new KeeperMessageHeader(KeeperMessageType.BackingOpen, 8, 0, 0, 42, 0)));
        Assert.That(ReadAll(open.Descriptor!), Is.EqualTo("backing"));
        open.Descriptor!.Dispose();
        keeper.Answer(open, value: 17);
        Assert.That(await opening, Is.EqualTo(17));
        Assert.That(file.IsClosed, Is.False);
    }

    [Test]
    public async Task A_posted_call_is_not_waited_for_and_its_answer_is_nobody_elses()
    {
        using FakeKeeper keeper = new();
        using SafeFileHandle file = NewFile("backing");
        keeper.Channel.PostBackingClose(41);
        Task<int> opening = Task.Run(() => keeper.Channel.BackingOpen(41, file));
        KeeperMessage posted = keeper.Receive();
        Assert.That(posted.Header, Is.EqualTo(new KeeperMessageHeader(KeeperMessageType.BackingClose, 1, 0, 0, 41, 0)));
        KeeperMessage open = keeper.Receive();
        Assert.That(open.Header.Type, Is.EqualTo(KeeperMessageType.BackingOpen), "calls arrive in the order in which they are made");
        open.Descriptor!.Dispose();
        keeper.Answer(posted, -Enotconn);
        keeper.Answer(open, value: 17);
        Assert.That(await opening, Is.EqualTo(17));
    }

    [Test]
    public void A_header_is_32_bytes_in_little_endian_order()
    {
        byte[] bytes = new byte[KeeperMessageHeader.Length];
        KeeperMessageHeader header = new(KeeperMessageType.BackingOpen, 0x01020304, -13, 1, 0x1122334455667788, -2);
        header.Write(bytes);
        Assert.That(Convert.ToHexString(bytes), Is.EqualTo("0600000004030201F3FFFFFF010000008877665544332211FEFFFFFFFFFFFFFF"));
        Assert.That(KeeperMessageHeader.Read(bytes), Is.EqualTo(header));
    }

    [Test]
    public async Task Answers_in_any_order_reach_the_call_that_they_belong_to()
    {
        using FakeKeeper keeper = new();
        using SafeFileHandle file = NewFile("x");
        Task<(ulong Node, int Id)>[] calls = Enumerable.Range(0, 16)
            .Select(node => Task.Factory.StartNew(
                () => ((ulong)node, keeper.Channel.BackingOpen((ulong)node, file)), TaskCreationOptions.LongRunning))
            .ToArray();
        List<KeeperMessage> received = [];
        while (received.Count < calls.Length)
        {
            received.Add(keeper.Receive());
        }
        foreach (KeeperMessage call in received.AsEnumerable().Reverse())
        {
            call.Descriptor!.Dispose();
            keeper.Answer(call, value: 1000 + (long)call.Header.NodeId);
        }
        foreach ((ulong node, int id) in await Task.WhenAll(calls))
        {
            Assert.That(id, Is.EqualTo(1000 + (int)node));
        }
    }

    [Test]
    public async Task A_keeper_that_goes_ends_calls_hello_and_closed()
    {
        using FakeKeeper keeper = new();
        Task hello = Task.Run(keeper.Channel.ReceiveHello);
        Task ready = Task.Run(() => keeper.Channel.Ready(true));
        keeper.Receive();
        Assert.That(keeper.Channel.Closed.IsCompleted, Is.False);
        keeper.Close();
        Assert.That((await FailureOf(ready)).Errno, Is.EqualTo(Enotconn));
        Assert.That((await FailureOf(hello)).Errno, Is.EqualTo(Enotconn));
        await keeper.Channel.Closed;
        Assert.That((await FailureOf(Task.Run(() => keeper.Channel.Ready(true)))).Errno, Is.EqualTo(Enotconn));
    }

    [Test]
    public async Task Disposing_closes_the_daemons_end_and_ends_waiting_calls()
    {
        using FakeKeeper keeper = new();
        Task ready = Task.Run(() => keeper.Channel.Ready(true));
        keeper.Receive();
        keeper.Channel.Dispose();
        Assert.That((await FailureOf(ready)).Errno, Is.EqualTo(Enotconn));
        Assert.That(keeper.IsClosedByDaemon(), Is.True);
        await keeper.Channel.Closed;
    }

    [Test]
    public async Task A_reason_too_long_for_a_packet_is_cut_between_characters()
    {
        using FakeKeeper keeper = new();
        Task fail = Task.Run(() => keeper.Channel.Fail(new string('x', 3999) + "é and more"));
        KeeperMessage message = keeper.Receive();
        Assert.That(Encoding.UTF8.GetString(message.Payload.Span), Is.EqualTo(new string('x', 3999)));
        keeper.Answer(message);
        await fail;
    }

    [Test]
    public void More_state_than_a_packet_holds_is_refused()
    {
        using FakeKeeper keeper = new();
        Assert.That(() => keeper.Channel.Save(new byte[KeeperChannel.SavedBytesMax + 1]), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public async Task An_answer_that_nobody_waits_for_is_dropped_with_its_descriptor()
    {
        using FakeKeeper keeper = new();
        using SafeFileHandle stray = NewFile("stray");
        keeper.Send(new KeeperMessageHeader(KeeperMessageType.Mount, 99, 0, 0, 0, 0), descriptor: stray);
        Task ready = Task.Run(() => keeper.Channel.Ready(true));
        keeper.Answer(keeper.Receive());
        await ready;
        Assert.That(keeper.Channel.Closed.IsCompleted, Is.False);
    }

    [Test]
    public void A_descriptor_that_is_no_packet_socket_is_not_taken_for_a_keeper()
    {
        using SafeFileHandle file = NewFile("x");
        (SafeFileHandle first, SafeFileHandle second) = FakeKeeper.NewPair(type: 1);
        using (first)
        using (second)
        {
            Assert.That(KeeperChannel.FromDescriptor((int)file.DangerousGetHandle()), Is.Null);
            Assert.That(KeeperChannel.FromDescriptor((int)first.DangerousGetHandle()), Is.Null);
            Assert.That(KeeperChannel.FromDescriptor(1 << 20), Is.Null);
        }
    }
}
