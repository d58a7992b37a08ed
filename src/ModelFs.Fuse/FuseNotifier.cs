using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace ModelFs.Fuse;

/// <summary>
/// Tells the kernel what to drop or to send again, from a thread of its own through a queue without limit: the kernel takes the folder's lock
/// to drop a name, and that lock may be held by the very request that an operation is working on. So never wait inside of an operation for
/// a task from here.
/// </summary>
/// <remarks>
/// Each task completes with the kernel's answer once it has done its part. <see cref="FuseErrno.ENOENT"/> is normal: the kernel does not
/// know the node or the name, so there is nothing to drop. Ignore the task where nothing depends on it; it never fails.
/// </remarks>
public sealed partial class FuseNotifier : IDisposable
{
    private readonly Channel<Notification> queue =
        Channel.CreateUnbounded<Notification>(new UnboundedChannelOptions { SingleReader = true });

    private readonly FuseDevice device;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private bool started;
    private bool canExpire;
    private bool canResend;
    private bool canPrune;

    internal FuseNotifier(FuseDevice device, ILogger log)
    {
        this.device = device;
        this.log = log;
    }

    /// <summary>Drops the attributes of a node and a range of its cached content.</summary>
    /// <param name="nodeId">The node.</param>
    /// <param name="offset">First byte of the range; negative for the attributes only.</param>
    /// <param name="length">Bytes; 0 or negative for all up to the end.</param>
    public Task<FuseErrno> InvalidateInode(ulong nodeId, long offset, long length) =>
        Enqueue(FuseNotification.InvalidateInode(nodeId, offset, length));

    /// <summary>Drops a name, so that the next use of it asks again. Files and folders that are open under it go on.</summary>
    /// <param name="parent">The folder's node.</param>
    /// <param name="name">The name.</param>
    /// <param name="expireOnly">
    /// Only ends its validity, without detaching what is mounted or in use below. Kernels before 6.2 drop the name all the same.
    /// </param>
    public Task<FuseErrno> InvalidateEntry(ulong parent, string name, bool expireOnly = false) =>
        Enqueue(FuseNotification.InvalidateEntry(parent, name, expireOnly && canExpire));

    /// <summary>Says that a name has been removed behind the kernel's back; watchers (inotify) learn of it too.</summary>
    /// <param name="parent">The folder's node.</param>
    /// <param name="child">The node that the name stood for.</param>
    /// <param name="name">The name.</param>
    public Task<FuseErrno> Delete(ulong parent, ulong child, string name) => Enqueue(FuseNotification.Delete(parent, child, name));

    /// <summary>
    /// Has the kernel forget nodes that nobody uses. It takes no folder's lock for that, so it waits for no request. Before 6.18 kernels can't:
    /// then nothing is sent, and the answer is <see cref="FuseErrno.ENOSYS"/>.
    /// </summary>
    /// <param name="nodeIds">The nodes, what is inside of a folder before the folder: a folder is in use as long as the kernel holds something inside of it.</param>
    public Task<FuseErrno> Prune(IReadOnlyList<ulong> nodeIds) =>
        canPrune ? Enqueue(FuseNotification.Prune(nodeIds)) : Task.FromResult(FuseErrno.ENOSYS);

    /// <summary>Has the kernel send again what it sent to a predecessor and got no answer to (<see cref="FuseRequest.IsResent"/>).</summary>
    /// <exception cref="InvalidOperationException">The kernel can't; see <see cref="FuseNegotiated.CanResend"/>.</exception>
    public Task<FuseErrno> Resend() =>
        canResend ? Enqueue(FuseNotification.Resend()) : throw new InvalidOperationException("The kernel can't send requests again.");

    /// <summary>Ends the thread once what is queued has been sent.</summary>
    public void Dispose() => queue.Writer.TryComplete();

    internal void Use(FuseNegotiated negotiated)
    {
        canExpire = negotiated.Flags.HasFlag(FuseInitFlags.HasExpireOnly);
        canResend = negotiated.CanResend;
        canPrune = negotiated.CanPrune;
    }

    private Task<FuseErrno> Enqueue(byte[] message)
    {
        StartOnce();
        var notification = new Notification(message, new TaskCompletionSource<FuseErrno>(TaskCreationOptions.RunContinuationsAsynchronously));

        // After the end of the session nobody is there to be told.
        return queue.Writer.TryWrite(notification) ? notification.Answer.Task : Task.FromResult(FuseErrno.ENOTCONN);
    }

    private void StartOnce()
    {
        lock (gate)
        {
            if (!started)
            {
                started = true;
                new Thread(Run) { Name = "fuse-notifier", IsBackground = true }.Start();
            }
        }
    }

    private void Run()
    {
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (queue.Reader.TryRead(out Notification notification))
            {
                FuseErrno errno = device.Write(notification.Message);
                if (errno is not (FuseErrno.None or FuseErrno.ENOENT or FuseErrno.ENODEV or FuseErrno.ENOTCONN))
                {
                    LogRefused(log, notification.Message.Length, errno);
                }

                notification.Answer.SetResult(errno);
            }
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "the kernel refused a notification of {Length} bytes: {Errno}")]
    private static partial void LogRefused(ILogger log, int length, FuseErrno errno);

    private readonly record struct Notification(byte[] Message, TaskCompletionSource<FuseErrno> Answer);
}
