using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount.Keeper;

/// <summary>One packet as received. The receiver owns <see cref="Descriptor"/>.</summary>
internal sealed record KeeperMessage(KeeperMessageHeader Header, ReadOnlyMemory<byte> Payload, SafeFileHandle? Descriptor);
