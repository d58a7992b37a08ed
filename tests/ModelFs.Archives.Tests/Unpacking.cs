using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>Unpacks archives that tests hold in memory.</summary>
internal static class Unpacking
{
    public static ModelName Bert { get; } = Name("bert");

    public static ModelName Name(string path) => ModelName.TryParsePath(path, out var name) ? name : throw new ArgumentException(path);

    public static Task<UnpackedModel> ToFolderAsync(
        byte[] archive, string folder, ArchiveFormat format = ArchiveFormat.TarGz, UnpackLimits? limits = null, ModelName? model = null, long? length = null) =>
        ModelUnpacker.UnpackAsync(
            new MemoryStream(archive), length ?? archive.Length, format, model ?? Bert, folder, limits ?? UnpackLimits.Default, null, CancellationToken.None);

    /// <summary>Unpacks to a folder that is dropped.</summary>
    public static async Task<UnpackedModel> AndDropAsync(
        byte[] archive, ArchiveFormat format = ArchiveFormat.TarGz, UnpackLimits? limits = null, long? length = null)
    {
        using var temporary = new TemporaryFolder();
        return await ToFolderAsync(archive, temporary.Path, format, limits, null, length);
    }

    /// <summary>The error that an archive is refused with.</summary>
    public static async Task<ArchiveException> RefusalAsync(
        byte[] archive, ArchiveFormat format = ArchiveFormat.TarGz, UnpackLimits? limits = null, long? length = null)
    {
        try
        {
            await AndDropAsync(archive, format, limits, length);
        }
        catch (ArchiveException refusal)
        {
            return refusal;
        }

        throw new AssertionException("the archive was accepted");
    }
}
