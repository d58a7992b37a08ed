using System.Buffers.Binary;
using System.Text;

namespace ModelFs.Fuse.Tests;

/// <summary>Who answers what, when, and how often.</summary>
public sealed class SessionTests
{
    private const uint Lookup = 1;
    private const uint Open = 14;
    private const uint Read = 15;
    private const uint Write = 16;
    private const uint StatFs = 17;
    private const uint ReadDirectoryPlus = 44;

    private static readonly byte[] LookupPayload = Convert.FromHexString(Goldens.LookupRequest);

    [Test]
    public async Task A_waiting_operation_blocks_nobody_even_with_one_reader()
    {
        var gate = new TaskCompletionSource<FuseResult<FuseEntry>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var operations = new DelegatingOperations { OnLookup = (_, _) => new(gate.Task) };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        Task<FakeReply> waiting = kernel.AskAsync(Lookup, 1, LookupPayload);
        FakeReply other = await kernel.AskAsync(StatFs, 1, []);

        Assert.That(other.Errno, Is.EqualTo(FuseErrno.ENOSYS));
        Assert.That(waiting.IsCompleted, Is.False);
        Assert.That(kernel.Session.PendingCount, Is.EqualTo(1));
        gate.SetResult(ScriptedOperations.Entry);
        Assert.That(Convert.ToHexStringLower((await waiting).Body), Is.EqualTo(Goldens.EntryReply));
    }

    [Test]
    public async Task A_write_keeps_its_bytes_while_later_requests_are_read()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        byte[] seen = [];
        var operations = new DelegatingOperations
        {
            OnWrite = async (_, data) =>
            {
                await gate.Task;
                seen = data.ToArray();
                return data.Length;
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);
        byte[] data = Encoding.UTF8.GetBytes(new string('a', 100_000));

        Task<FakeReply> written = kernel.AskAsync(Write, 9, WritePayload(data));
        await kernel.AskAsync(Lookup, 1, Encoding.UTF8.GetBytes(new string('z', 200) + "\0"));
        gate.SetResult();

        Assert.That(BinaryPrimitives.ReadInt32LittleEndian((await written).Body), Is.EqualTo(data.Length));
        Assert.That(seen, Is.EqualTo(data));
    }

    [Test]
    public async Task The_bytes_of_reads_and_writes_lie_at_the_beginning_of_a_page()
    {
        long readAt = -1;
        long writeAt = -1;
        var operations = new DelegatingOperations
        {
            OnRead = (_, buffer) =>
            {
                readAt = AddressOf(buffer.Span);
                return new(buffer.Length);
            },
            OnWrite = (_, data) =>
            {
                writeAt = AddressOf(data.Span);
                return new(data.Length);
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);

        FakeReply read = await kernel.AskAsync(Read, 9, ReadPayload(100_000));
        await kernel.AskAsync(Write, 9, WritePayload(new byte[4096]));

        Assert.That(read.Body, Has.Length.EqualTo(100_000));
        Assert.That(readAt % 4096, Is.Zero);
        Assert.That(writeAt % 4096, Is.Zero);
    }

    [TestCase(-1)]
    [TestCase(9)]
    public async Task A_count_that_cannot_be_is_EIO_and_logged(int count)
    {
        var log = new RecordingLog();
        var operations = new DelegatingOperations { OnRead = (_, _) => new(count), OnWrite = (_, _) => new(count) };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, log: log);

        Assert.That((await kernel.AskAsync(Read, 9, ReadPayload(8))).Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That((await kernel.AskAsync(Write, 9, WritePayload(new byte[8]))).Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That(log.Exceptions, Has.Count.EqualTo(2));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_exception_that_escapes_is_EIO_and_logged(bool atOnce)
    {
        var log = new RecordingLog();
        var operations = new DelegatingOperations
        {
            OnLookup = async (_, _) =>
            {
                if (!atOnce)
                {
                    await Task.Yield();
                }

                throw new InvalidOperationException("a bug");
            },
            OnRead = (_, _) => throw new InvalidOperationException("a bug before the first await"),
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, log: log);

        Assert.That((await kernel.AskAsync(Lookup, 1, LookupPayload)).Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That((await kernel.AskAsync(Read, 1, ReadPayload(8))).Errno, Is.EqualTo(FuseErrno.EIO));
        Assert.That(log.Lines, Has.Some.Contains("LOOKUP").And.Some.Contains("READ"));
        Assert.That(log.Exceptions, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_cancellation_that_nobody_asked_for_is_an_error_and_not_a_signal()
    {
        var operations = new DelegatingOperations { OnLookup = (_, _) => throw new OperationCanceledException("a timeout inside") };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);

        Assert.That((await kernel.AskAsync(Lookup, 1, LookupPayload)).Errno, Is.EqualTo(FuseErrno.EIO));
    }

    [Test]
    public async Task A_resent_request_is_marked_and_answered_under_the_number_it_came_with()
    {
        (ulong Unique, bool IsResent) seen = default;
        var operations = new DelegatingOperations
        {
            OnLookup = (request, _) =>
            {
                seen = (request.Unique, request.IsResent);
                return new(FuseErrno.ENOENT);
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations);
        const ulong resent = (1UL << 63) | 0x20;

        FakeReply reply = await kernel.AskAsync(Lookup, 1, LookupPayload, resent);

        Assert.That(seen, Is.EqualTo((0x20UL, true)));
        Assert.That(reply.Unique, Is.EqualTo(resent));
    }

    [Test]
    public async Task A_resumed_session_serves_without_INIT()
    {
        var operations = new ScriptedOperations();
        using var kernel = new FakeKernel(operations);
        kernel.Session.Resume(new FuseNegotiated { Minor = 45, Flags = 0, MaxWrite = 131072, MaxReadAhead = 0, MaxStackDepth = 0 });
        kernel.Run(2);

        await kernel.AskAsync(StatFs, 1, []);

        Assert.That(operations.Calls, Is.EqualTo(new[] { "statfs 1" }));
    }

    [Test]
    public async Task Stopping_ends_readers_that_sleep_in_the_kernel_and_lets_waiting_operations_answer()
    {
        var gate = new TaskCompletionSource<FuseResult<FuseEntry>>(TaskCreationOptions.RunContinuationsAsynchronously);
        using FakeKernel kernel = await FakeKernel.StartAsync(new DelegatingOperations { OnLookup = (_, _) => new(gate.Task) }, threads: 3);
        Task<FakeReply> waiting = kernel.AskAsync(Lookup, 1, LookupPayload);
        await kernel.AskAsync(StatFs, 1, []);

        kernel.Session.Stop();

        Assert.That(await kernel.Running, Is.EqualTo(FuseSessionEnd.Stopped));
        gate.SetResult(FuseErrno.ENOENT);
        Assert.That((await waiting).Errno, Is.EqualTo(FuseErrno.ENOENT));
    }

    [Test]
    public async Task What_a_vanished_kernel_does_not_take_is_undone()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var operations = new DelegatingOperations
        {
            OnLookup = async (_, _) =>
            {
                await gate.Task;
                return new FuseEntry { NodeId = 42 };
            },
            OnOpen = async () =>
            {
                await gate.Task;
                return new FuseOpened(7);
            },
            OnReadDirectoryPlus = async buffer =>
            {
                await gate.Task;
                buffer.TryAdd(".", new FuseEntry { NodeId = 9 }, 1);
                buffer.TryAdd("..", new FuseEntry { NodeId = 1 }, 2);
                buffer.TryAdd("a", new FuseEntry { NodeId = 50 }, 3);
                buffer.TryAdd("no attributes", 11, 0x81A4, 4);
                buffer.TryAdd("b", new FuseEntry { NodeId = 51 }, 5);
                return FuseResult.Success;
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);
        kernel.Send(FakeKernel.Request(Lookup, 1, 2, LookupPayload));
        kernel.Send(FakeKernel.Request(Open, 9, 4, Convert.FromHexString(Goldens.OpenRequest)));
        kernel.Send(FakeKernel.Request(ReadDirectoryPlus, 9, 6, ReadPayload(4096)));
        await kernel.AskAsync(StatFs, 1, [], unique: 8);

        Assert.That(await kernel.CloseAsync(), Is.EqualTo(FuseSessionEnd.Unmounted));
        gate.SetResult();

        Assert.That(() => kernel.Session.PendingCount, Is.Zero.After(30_000, 5));
        Assert.That(operations.Forgotten, Is.EquivalentTo(new[] { (42UL, 1UL), (50UL, 1UL), (51UL, 1UL) }));
        Assert.That(operations.Released, Is.EqualTo(new[] { 7UL }));
    }

    [Test]
    public async Task Ten_thousand_requests_under_way_at_once_are_each_answered_once_with_their_own_bytes()
    {
        const int count = 10_000;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var operations = new DelegatingOperations
        {
            OnRead = async (request, buffer) =>
            {
                await gate.Task;
                BinaryPrimitives.WriteUInt64LittleEndian(buffer.Span, request.Unique);
                return 8;
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 4);

        Task<FakeReply>[] replies = [.. Enumerable.Range(0, count).Select(_ => kernel.AskAsync(Read, 9, ReadPayload(8)))];
        Assert.That(() => kernel.Session.PendingCount, Is.EqualTo(count).After(30_000, 5));
        gate.SetResult();
        FakeReply[] all = await Task.WhenAll(replies);

        Assert.That(all.Select(reply => reply.Errno), Is.All.EqualTo(FuseErrno.None));
        Assert.That(
            all.Select(reply => BinaryPrimitives.ReadUInt64LittleEndian(reply.Body)), Is.EqualTo(all.Select(reply => reply.Unique)));
        Assert.That(all.Select(reply => reply.Unique).Distinct().Count(), Is.EqualTo(count));
        Assert.That(() => kernel.Session.PendingCount, Is.Zero.After(30_000, 5));
        Assert.That(kernel.Session.GetStatistics(), Has.Some.EqualTo(new FuseOperationStatistics("READ", count, 0)));
    }

    [Test]
    public async Task Requests_that_complete_at_once_allocate_nothing()
    {
        long before = 0;
        long after = 0;
        const int warmUp = 500;
        const int measured = 2_000;
        int number = 0;
        var operations = new DelegatingOperations
        {
            OnLookup = (_, _) =>
            {
                // One reader thread, so what is counted between two look-ups is what the session has allocated for one request.
                number++;
                if (number == warmUp)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }
                else if (number == warmUp + measured)
                {
                    after = GC.GetAllocatedBytesForCurrentThread();
                }

                return new(ScriptedOperations.Entry);
            },
            OnRead = (_, buffer) => new(buffer.Length),
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        for (int i = 0; i < warmUp + measured; i++)
        {
            await kernel.AskAsync(Lookup, 1, LookupPayload);
            await kernel.AskAsync(Read, 1, ReadPayload(4096));
        }

        Assert.That(after - before, Is.Zero);
    }

    [Test]
    public async Task Statistics_count_requests_and_errors_by_operation()
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new DelegatingOperations());

        await kernel.AskAsync(Lookup, 1, LookupPayload);
        await kernel.AskAsync(Lookup, 1, LookupPayload);
        await kernel.AskAsync(99, 1, []);

        Assert.That(kernel.Session.GetStatistics(), Is.EquivalentTo(new FuseOperationStatistics[] { new("LOOKUP", 2, 2), new("UNKNOWN", 1, 1) }));
    }

    private static byte[] ReadPayload(int size)
    {
        byte[] payload = new byte[40];
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(16), size);
        return payload;
    }

    private static byte[] WritePayload(byte[] data)
    {
        byte[] payload = [.. ReadPayload(data.Length), .. data];
        return payload;
    }

    private static unsafe long AddressOf(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (long)start;
        }
    }
}
