
namespace ModelFs.Stores.Contract;

/// <summary>An archive held in memory, ready to be published.</summary>
public sealed class BytesContent(byte[] bytes) : IPublishContent
{
    public long Length => bytes.Length;

    public Stream OpenRead(long offset, long length) => new MemoryStream(bytes, (int)offset, (int)length, writable: false);

    /// <summary>Bytes that depend on the seed alone.</summary>
    public static byte[] Random(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
