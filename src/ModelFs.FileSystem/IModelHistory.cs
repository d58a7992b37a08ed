using ModelFs.Cache;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>The past of models, behind the files of <c>/.modelfs/history</c>. Both calls ask the store, and end when their token does.</summary>
public interface IModelHistory
{
    /// <summary>What the store has of a model now, and what of before, as the content of a file. A failure is told in it.</summary>
    Task<byte[]> DescribeAsync(ModelName model, CancellationToken cancellationToken);

    /// <summary>Makes a past revision the current one.</summary>
    /// <exception cref="ModelException">It can't be done; nothing was changed.</exception>
    Task RestoreAsync(ModelName model, string revision, CancellationToken cancellationToken);
}
