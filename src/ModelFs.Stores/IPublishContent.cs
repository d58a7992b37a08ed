namespace ModelFs.Stores;

/// <summary>The bytes of an archive to be stored. It can be read several times and in parts, so that an upload can be repeated.</summary>
public interface IPublishContent
{
    /// <summary>Of the whole archive, in bytes.</summary>
    long Length { get; }

    /// <summary>The object that the store holds already and that <see cref="Segments"/> refer to; of the key that is published. Null when there is none.</summary>
    StoredObject? Source => null;

    /// <summary>
    /// Where each part of the archive comes from: segments that follow each other from 0 to <see cref="Length"/>. Empty when everything is
    /// read by <see cref="OpenRead"/>.
    /// </summary>
    /// <remarks>They are an offer: a store that can't put parts together by itself sends all bytes.</remarks>
    IReadOnlyList<ContentSegment> Segments => [];

    /// <summary>
    /// Opens <paramref name="length"/> bytes from <paramref name="offset"/>, whatever segments they belong to. May be called from several
    /// threads at once; the caller disposes of the stream.
    /// </summary>
    Stream OpenRead(long offset, long length);

    /// <summary>The same for a look that sends nothing, such as a checksum: limits of bandwidth don't count it.</summary>
    Stream OpenToCheck(long offset, long length) => OpenRead(offset, length);
}
