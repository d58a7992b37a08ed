using System.Buffers.Binary;

namespace ModelFs.Fuse.Tests;

/// <summary>INTERRUPT: the target is answered, the interrupt itself is not, unless its target is unknown.</summary>
public sealed class InterruptTests
{
    private const uint Lookup = 1;
    private const uint StatFs = 17;
    private const uint Interrupt = 36;

    private static readonly byte[] LookupPayload = Convert.FromHexString(Goldens.LookupRequest);

    [TestCase(0UL)]
    [TestCase(1UL << 63)]
    public async Task A_waiting_operation_is_cancelled_and_its_caller_gets_EINTR(ulong resendBit)
    {
        var operations = new DelegatingOperations
        {
            OnLookup = async (request, _) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, request.Interrupted);
                return FuseErrno.EIO;
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);
        ulong target = resendBit | 0x20;

        Task<FakeReply> interrupted = kernel.AskAsync(Lookup, 1, LookupPayload, target);
        Task<FakeReply> ofInterrupt = kernel.Expect(target | 1);
        kernel.Send(FakeKernel.Request(Interrupt, 0, target | 1, Payload(target)));

        Assert.That((await interrupted).Errno, Is.EqualTo(FuseErrno.EINTR));
        await kernel.AskAsync(StatFs, 1, []);
        Assert.That(ofInterrupt.IsCompleted, Is.False, "an INTERRUPT whose target is found is never answered");
    }

    [Test]
    public async Task An_operation_that_looks_only_after_the_interrupt_has_come_sees_it()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var operations = new DelegatingOperations
        {
            OnLookup = async (request, _) =>
            {
                await gate.Task;
                request.Interrupted.ThrowIfCancellationRequested();
                return FuseErrno.ENOENT;
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        Task<FakeReply> interrupted = kernel.AskAsync(Lookup, 1, LookupPayload, 0x20);
        kernel.Send(FakeKernel.Request(Interrupt, 0, 0x21, Payload(0x20)));
        await kernel.AskAsync(StatFs, 1, []);
        gate.SetResult();

        Assert.That((await interrupted).Errno, Is.EqualTo(FuseErrno.EINTR));
    }

    [Test]
    public async Task An_operation_that_ignores_the_interrupt_answers_as_it_likes()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var operations = new DelegatingOperations
        {
            OnLookup = async (_, _) =>
            {
                await gate.Task;
                return ScriptedOperations.Entry;
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        Task<FakeReply> reply = kernel.AskAsync(Lookup, 1, LookupPayload, 0x20);
        kernel.Send(FakeKernel.Request(Interrupt, 0, 0x21, Payload(0x20)));
        await kernel.AskAsync(StatFs, 1, []);
        gate.SetResult();

        Assert.That((await reply).Errno, Is.EqualTo(FuseErrno.None));
    }

    [Test]
    public async Task An_interrupt_whose_target_is_unknown_is_put_back_with_EAGAIN()
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations());
        await kernel.AskAsync(Lookup, 1, LookupPayload, 0x20);

        FakeReply afterTheAnswer = await kernel.AskAsync(Interrupt, 0, Payload(0x20), 0x21);
        FakeReply beforeTheRequest = await kernel.AskAsync(Interrupt, 0, Payload(0x40), 0x41);

        Assert.That(afterTheAnswer.Errno, Is.EqualTo(FuseErrno.EAGAIN));
        Assert.That(beforeTheRequest.Errno, Is.EqualTo(FuseErrno.EAGAIN));
    }

    [Test]
    public async Task An_interrupt_never_reaches_the_request_that_follows_its_target()
    {
        var tokens = new List<CancellationToken>();
        var operations = new DelegatingOperations
        {
            OnLookup = (request, _) =>
            {
                tokens.Add(request.Interrupted);
                return new(FuseErrno.ENOENT);
            },
        };
        using FakeKernel kernel = await FakeKernel.StartAsync(operations, threads: 1);

        await kernel.AskAsync(Lookup, 1, LookupPayload, 0x20);
        FakeReply late = await kernel.AskAsync(Interrupt, 0, Payload(0x20), 0x21);
        await kernel.AskAsync(Lookup, 1, LookupPayload, 0x40);

        Assert.That(late.Errno, Is.EqualTo(FuseErrno.EAGAIN));
        Assert.That(tokens, Has.Count.EqualTo(2).And.All.Matches<CancellationToken>(token => !token.IsCancellationRequested));
    }

    [Test]
    public void A_request_made_by_hand_can_be_interrupted_by_hand()
    {
        var request = new FuseRequest((1UL << 63) | 8, 1, 0, 0, 0);

        request.Interrupt();

        Assert.That(request.IsResent, Is.True);
        Assert.That(request.Interrupted.IsCancellationRequested, Is.True);
    }

    private static byte[] Payload(ulong unique)
    {
        byte[] payload = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, unique);
        return payload;
    }
}
