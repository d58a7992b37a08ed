using ModelFs.Models;

namespace ModelFs.Stores;

/// <summary>One object of a store at one revision.</summary>
/// <param name="Key">Relative to the store's prefix.</param>
/// <param name="Revision">Which bytes these are.</param>
/// <param name="Length">Of the archive, in bytes.</param>
/// <param name="LastModified">The store's own time of the object's last replacement.</param>
public sealed record StoredObject(string Key, StoreRevision Revision, long Length, DateTimeOffset LastModified);
