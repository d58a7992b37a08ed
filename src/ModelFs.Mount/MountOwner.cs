namespace ModelFs.Mount;

/// <summary>Whose everything in the mount is.</summary>
/// <param name="Uid">The user.</param>
/// <param name="Gid">The group.</param>
public sealed record MountOwner(uint Uid, uint Gid);
