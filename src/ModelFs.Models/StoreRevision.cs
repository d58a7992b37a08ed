namespace ModelFs.Models;

/// <summary>
/// Names one stored state of one object: an S3 ETag without its quotes, a GCS generation, a folder store's inode, size and time.
/// Two equal revisions of one key mean equal bytes. Opaque to everybody but the store that made it.
/// </summary>
/// <param name="Value">Printable ASCII; never empty.</param>
public readonly record struct StoreRevision(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}
