namespace ModelFs.Stores;

/// <summary>The bytes of an archive to be stored. It can be read several times and in parts, so that an upload can be repeated.</summary>
public interface IPublishContent
{
    /// <summary>Of the whole archive, in bytes.</summary>
    long Length { get; }

    /// <summary>Opens <paramref name="length"/> bytes from <paramref name="offset"/>. May be called from several threads at once; the caller disposes of the stream.</summary>
    Stream OpenRead(long offset, long length);
}
