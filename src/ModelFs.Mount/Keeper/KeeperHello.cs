using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount.Keeper;

/// <summary>The keeper's first message to a daemon.</summary>
/// <param name="IsResumed">
/// Whether an earlier daemon of this mount died: the mount stands and is served through <paramref name="Device"/> without another INIT,
/// and the kernel has to be told to resend what the earlier daemon had not answered.
/// </param>
/// <param name="KeeperProcessId">The keeper's process id.</param>
/// <param name="Device">The <c>/dev/fuse</c> descriptor of a resumed mount, the receiver's to dispose; null when the mount is yet to be made.</param>
/// <param name="Saved">What the earlier daemon gave to <see cref="KeeperChannel.Save"/> last; empty when there was none.</param>
public sealed record KeeperHello(bool IsResumed, int KeeperProcessId, SafeFileHandle? Device, ReadOnlyMemory<byte> Saved);
