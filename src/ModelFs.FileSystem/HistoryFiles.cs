using System.Text;
using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Models;

namespace ModelFs.FileSystem;

/// <summary>
/// <c>/.modelfs/history/NAME.json</c>: a file for every name that a model can have, because deleted models have a past, too. Opening one asks the
/// store; setting <c>user.modelfs.restore</c> on it to a revision makes that the current one.
/// </summary>
/// <param name="history">Asks the store; null where there is none to ask.</param>
/// <param name="isReadOnly">Whether changes are refused.</param>
internal sealed class HistoryFiles(IModelHistory? history, bool isReadOnly)
{
    private const string Ending = ".json";
    private const string RestoreAttribute = "user.modelfs.restore";
    private const string ErrorAttribute = "user.modelfs.last_error";

    private volatile string? _lastFailure;

    /// <summary>The model that a file name belongs to; a project's is written <c>PROJECT___NAME.json</c>.</summary>
    public static bool TryParse(string fileName, out ModelName? model)
    {
        model = null;
        return fileName.EndsWith(Ending, StringComparison.Ordinal) && ModelName.TryParseStem(fileName[..^Ending.Length], out model);
    }

    /// <summary>What a reader of the file gets.</summary>
    public async ValueTask<FsResult<byte[]>> ReadAsync(Inode file, CancellationToken cancellationToken) =>
        history is not null && TryParse(file.Name, out var model) ? await history.DescribeAsync(model!, cancellationToken).ConfigureAwait(false) : Errno.ENOENT;

    /// <summary>Reads an attribute: why the last restore failed.</summary>
    public FsResult<byte[]> Get(string name) => name == ErrorAttribute && _lastFailure is { } failure ? Encoding.UTF8.GetBytes(failure) : Errno.ENODATA;

    /// <summary>Restores.</summary>
    public async ValueTask<Errno> SetAsync(Inode file, string name, string value, CancellationToken cancellationToken)
    {
        if (name != RestoreAttribute || history is null || !TryParse(file.Name, out var model))
        {
            return Errno.ENOTSUP;
        }

        if (isReadOnly)
        {
            return Errno.EROFS;
        }

        try
        {
            await history.RestoreAsync(model!, value, cancellationToken).ConfigureAwait(false);
            _lastFailure = null;
            return Errno.None;
        }
        catch (ModelException error)
        {
            _lastFailure = error.Message;

            // The kernel repeats a path's call after ESTALE.
            if (error.Kind == ModelErrorKind.Conflict)
            {
                return Errno.EIO;
            }

            throw;
        }
    }
}
