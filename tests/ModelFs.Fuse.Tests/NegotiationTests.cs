using System.Buffers.Binary;

namespace ModelFs.Fuse.Tests;

/// <summary>What session and kernel agree on, and how a successor takes it over.</summary>
public sealed class NegotiationTests
{
    [Test]
    public async Task INIT_of_kernel_7_45_is_answered_with_the_kernels_structure()
    {
        using var kernel = new FakeKernel(new ScriptedOperations(), new FuseSessionOptions());
        Task<FuseNegotiated> negotiating = kernel.Session.InitializeAsync();

        FakeReply reply = await kernel.AskAsync(26, 0, Convert.FromHexString(Goldens.InitRequest));

        Assert.That(Convert.ToHexStringLower(reply.Body), Is.EqualTo(Goldens.InitReply));
        FuseNegotiated negotiated = await negotiating;
        Assert.That(negotiated.IsPassthrough, Is.True);
        Assert.That(negotiated.CanResend, Is.True);
        Assert.That(negotiated.Minor, Is.EqualTo(45));
        Assert.That(negotiated.Flags & FuseInitFlags.WritebackCache, Is.EqualTo(FuseInitFlags.None));
    }

    [TestCase(31u, 16, TestName = "An_old_kernel_with_a_short_INIT_gets_only_what_it_offers")]
    [TestCase(35u, 16)]
    [TestCase(36u, 64)]
    public async Task A_kernel_without_the_second_flags_gets_none_of_them(uint minor, int payloadSize)
    {
        byte[] init = Convert.FromHexString(Goldens.InitRequest)[..payloadSize];
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), minor);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(12), 0x03FF_FFFB);
        using var kernel = new FakeKernel(new ScriptedOperations());
        Task<FuseNegotiated> negotiating = kernel.Session.InitializeAsync();

        FakeReply reply = await kernel.AskAsync(26, 0, init);

        FuseNegotiated negotiated = await negotiating;
        Assert.That(negotiated.Minor, Is.EqualTo(minor));
        Assert.That((ulong)negotiated.Flags >> 28, Is.Zero);
        Assert.That(negotiated.IsPassthrough || negotiated.CanResend, Is.False);
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(reply.Body.AsSpan(4)), Is.EqualTo(minor));
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(reply.Body.AsSpan(36)), Is.Zero, "the stack depth");
    }

    [Test]
    public async Task A_later_kernel_is_answered_in_our_minor_version()
    {
        byte[] init = Convert.FromHexString(Goldens.InitRequest);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), 60);
        using var kernel = new FakeKernel(new ScriptedOperations());
        Task<FuseNegotiated> negotiating = kernel.Session.InitializeAsync();

        await kernel.AskAsync(26, 0, init);

        Assert.That((await negotiating).Minor, Is.EqualTo(45));
    }

    [Test]
    public async Task A_kernel_of_a_later_major_version_is_asked_to_begin_again()
    {
        byte[] init = Convert.FromHexString(Goldens.InitRequest);
        byte[] later = [.. init];
        BinaryPrimitives.WriteUInt32LittleEndian(later, 8);
        using var kernel = new FakeKernel(new ScriptedOperations());
        Task<FuseNegotiated> negotiating = kernel.Session.InitializeAsync();

        FakeReply first = await kernel.AskAsync(26, 0, later);
        FakeReply second = await kernel.AskAsync(26, 0, init);

        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(first.Body), Is.EqualTo(7));
        Assert.That(second.Body, Has.Length.EqualTo(64));
        Assert.That((await negotiating).Minor, Is.EqualTo(45));
    }

    [Test]
    public async Task A_kernel_that_is_too_old_is_refused_with_EPROTO()
    {
        byte[] init = Convert.FromHexString(Goldens.InitRequest)[..16];
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), 30);
        using var kernel = new FakeKernel(new ScriptedOperations());
        Task<FuseNegotiated> negotiating = kernel.Session.InitializeAsync();

        FakeReply reply = await kernel.AskAsync(26, 0, init);

        Assert.That(reply.Errno, Is.EqualTo(FuseErrno.EPROTO));
        Assert.That(async () => await negotiating, Throws.TypeOf<NotSupportedException>().With.Message.Contains("7.31"));
    }

    [Test]
    public void A_conversation_that_does_not_begin_with_INIT_is_refused()
    {
        using var kernel = new FakeKernel(new ScriptedOperations());
        Task<FuseNegotiated> negotiating = kernel.Session.InitializeAsync();

        kernel.Send(FakeKernel.Request(1, 1, 2, Convert.FromHexString(Goldens.LookupRequest)));

        Assert.That(async () => await negotiating.WaitAsync(FakeKernel.Patience), Throws.TypeOf<IOException>());
    }

    [Test]
    public void Running_without_a_negotiation_is_refused()
    {
        using var kernel = new FakeKernel(new ScriptedOperations());

        Assert.That(async () => await kernel.Session.RunAsync(1), Throws.InvalidOperationException);
    }

    [Test]
    public void What_was_negotiated_survives_as_bytes()
    {
        var negotiated = new FuseNegotiated
        {
            Minor = 45,
            Flags = FuseInitFlags.Passthrough | FuseInitFlags.HasResend,
            MaxWrite = 1 << 20,
            MaxReadAhead = 131072,
            MaxStackDepth = 2,
        };

        Assert.That(FuseNegotiated.FromBytes(negotiated.ToBytes()), Is.EqualTo(negotiated));
        Assert.That(
            Convert.ToHexStringLower(negotiated.ToBytes()),
            Is.EqualTo("4d464e312d000000" + "00000000a0000000" + "0000100000000200" + "0200000000000000"));
    }

    [TestCase(0, TestName = "No_bytes_are_no_negotiated_state")]
    [TestCase(31, TestName = "A_cut_negotiated_state_is_refused")]
    [TestCase(32, TestName = "Other_bytes_are_no_negotiated_state")]
    public void A_blob_that_is_not_one_is_refused(int length) =>
        Assert.That(() => FuseNegotiated.FromBytes(new byte[length]), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Options_out_of_range_are_refused()
    {
        Assert.That(() => new FakeKernel(new ScriptedOperations(), new() { MaxStackDepth = 3 }), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new FakeKernel(new ScriptedOperations(), new() { MaxWrite = 1 }), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
