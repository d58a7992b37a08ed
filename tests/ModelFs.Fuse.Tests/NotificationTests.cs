namespace ModelFs.Fuse.Tests;

/// <summary>What the session tells the kernel unasked.</summary>
public sealed class NotificationTests
{
    [Test]
    public async Task Notifications_are_the_kernels_structures()
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations());
        FuseNotifier notifier = kernel.Session.Notifier;

        (Task<FuseErrno> Sent, string Golden)[] all =
        [
            (notifier.InvalidateInode(42, -1, 0), Goldens.InvalInodeNotification),
            (notifier.InvalidateEntry(1, "model", expireOnly: true), Goldens.InvalEntryNotification),
            (notifier.Delete(1, 42, "model"), Goldens.DeleteNotification),
            (notifier.Resend(), Goldens.ResendNotification),
            (notifier.Prune([43, 42]), Goldens.PruneNotification),
        ];
        foreach ((Task<FuseErrno> sent, string golden) in all)
        {
            Assert.That(Convert.ToHexStringLower(await kernel.NextNotificationAsync()), Is.EqualTo(golden));
            Assert.That(await sent, Is.EqualTo(FuseErrno.None));
        }
    }

    [Test]
    public async Task A_kernel_that_knows_neither_expiry_nor_resending_nor_pruning_is_told_what_it_understands()
    {
        using var kernel = new FakeKernel(new ScriptedOperations());
        kernel.Session.Resume(new FuseNegotiated { Minor = 31, Flags = 0, MaxWrite = 131072, MaxReadAhead = 0, MaxStackDepth = 0 });

        await kernel.Session.Notifier.InvalidateEntry(1, "model", expireOnly: true);

        byte[] notification = await kernel.NextNotificationAsync();
        Assert.That(notification[16 + 12], Is.Zero, "FUSE_EXPIRE_ONLY");
        Assert.That(kernel.Session.Notifier.Resend, Throws.InvalidOperationException);
        Assert.That(await kernel.Session.Notifier.Prune([42]), Is.EqualTo(FuseErrno.ENOSYS));
    }

    [Test]
    public async Task A_notification_after_the_end_is_answered_and_not_lost_in_waiting()
    {
        using FakeKernel kernel = await FakeKernel.StartAsync(new ScriptedOperations());
        kernel.Session.Dispose();

        Assert.That(await kernel.Session.Notifier.InvalidateInode(1, 0, 0), Is.EqualTo(FuseErrno.ENOTCONN));
    }
}
