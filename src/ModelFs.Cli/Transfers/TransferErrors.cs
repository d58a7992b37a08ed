using ModelFs.Archives;
using ModelFs.Stores;

namespace ModelFs.Cli.Transfers;

/// <summary>How failures on the way become messages and exit codes.</summary>
internal static class TransferErrors
{
    /// <summary>Runs a command's work.</summary>
    /// <param name="attempt">What it tries, for failures that don't say what they are about.</param>
    /// <param name="work">The work.</param>
    /// <exception cref="CommandException">It failed.</exception>
    public static async Task<T> TellAsync<T>(string attempt, Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            throw exception.Kind == StoreErrorKind.Misconfigured ? CommandException.Usage(exception.Message) : CommandException.Failure(exception.Message);
        }
        catch (PackException exception)
        {
            throw CommandException.Failure($"{attempt}: {exception.Message}; nothing was stored");
        }
        catch (ArchiveException exception)
        {
            throw CommandException.Failure($"{attempt}: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Failure($"{attempt}: {exception.Message}");
        }
    }
}
