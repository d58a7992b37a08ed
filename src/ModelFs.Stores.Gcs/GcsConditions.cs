using System.Text;
using ModelFs.Models;

namespace ModelFs.Stores.Gcs;

/// <summary>Knows which generation conditions the server keeps, and checks by a look-up what it does not keep.</summary>
/// <remarks>
/// Google documents that its own service keeps all of them, so nothing is written there to find out. Of any other server it is known only once it has refused what
/// it must refuse: emulators exist that ignore conditions without an error.
/// </remarks>
/// <param name="connection">To the server.</param>
/// <param name="addresses">Of the store.</param>
/// <param name="publisher">Sends the probe's object.</param>
/// <param name="statAsync">Looks a key up.</param>
internal sealed class GcsConditions(GcsConnection connection, GcsAddresses addresses, GcsPublisher publisher, Func<string, CancellationToken, Task<StoredObject?>> statAsync) : IDisposable
{
    /// <summary>Names that begin so are the store's own and never listed.</summary>
    internal const string OwnPrefix = ".modelfs-";

    private const string Doing = "finding out which conditions the server keeps";

    /// <summary>A generation that no object has.</summary>
    private static readonly StoreRevision Wrong = new("1");

    private readonly SemaphoreSlim _proving = new(1);
    private volatile GcsConditionProof _proof = connection.Settings.IsGoogle ? GcsConditionProof.Kept : GcsConditionProof.None;

    /// <summary>What is known so far.</summary>
    internal GcsConditionProof Proof => _proof;

    /// <inheritdoc/>
    public void Dispose() => _proving.Dispose();

    /// <summary>Asks the server, once.</summary>
    /// <exception cref="StoreException">It can't be asked now.</exception>
    internal async Task ProveAsync(CancellationToken cancellationToken)
    {
        if (_proof != GcsConditionProof.None)
        {
            return;
        }

        await _proving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_proof == GcsConditionProof.None)
            {
                var proof = await ProbeAsync(cancellationToken).ConfigureAwait(false);
                Log.ConditionsProven(connection.Logger, connection.Settings.Bucket, proof);
                _proof = proof;
            }
        }
        finally
        {
            _proving.Release();
        }
    }

    /// <summary>Before a publish or a delete: makes sure of what the server itself does not.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.PreconditionFailed"/> when the condition does not hold.</exception>
    internal async Task RequireAsync(string key, PublishCondition condition, bool isDelete, bool inParts, CancellationToken cancellationToken)
    {
        if (condition == PublishCondition.None)
        {
            return;
        }

        await ProveAsync(cancellationToken).ConfigureAwait(false);
        if (_proof.Of(condition, isDelete, inParts) == ConditionSupport.Atomic)
        {
            return;
        }

        var current = await statAsync(key, cancellationToken).ConfigureAwait(false);
        if (condition.MustBeAbsent ? current is not null : current?.Revision != condition.Revision)
        {
            throw connection.Errors.Error(
                StoreErrorKind.PreconditionFailed,
                isDelete ? $"deleting {key}" : $"publishing {key}",
                condition.MustBeAbsent ? "it exists already" : $"it is not at generation {condition.Revision} any more");
        }
    }

    /// <summary>On a hidden object below the store's prefix, which is no model and is removed again.</summary>
    private async Task<GcsConditionProof> ProbeAsync(CancellationToken cancellationToken)
    {
        var key = OwnPrefix + "probe-" + Guid.NewGuid().ToString("N");
        try
        {
            // Who may not delete could not clean up: then nothing is written, and conditions count as weak.
            await DeleteAsync(key, null, cancellationToken).ConfigureAwait(false);
            await SendAsync(key, PublishCondition.Absent, inParts: false, cancellationToken).ConfigureAwait(false);
            return new GcsConditionProof(
                await KeptAsync(() => SendAsync(key, PublishCondition.Absent, inParts: false, cancellationToken)).ConfigureAwait(false),
                await KeptAsync(() => SendAsync(key, PublishCondition.Matches(Wrong), inParts: false, cancellationToken)).ConfigureAwait(false),
                await KeptAsync(() => SendAsync(key, PublishCondition.Matches(Wrong), inParts: true, cancellationToken)).ConfigureAwait(false),
                await KeptAsync(() => DeleteAsync(key, Wrong, cancellationToken)).ConfigureAwait(false));
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.AccessDenied or StoreErrorKind.Rejected)
        {
            return GcsConditionProof.Weak;
        }
        finally
        {
            await CleanUpAsync(key).ConfigureAwait(false);
        }
    }

    private static async Task<ConditionSupport> KeptAsync(Func<Task> call)
    {
        try
        {
            await call().ConfigureAwait(false);
            return ConditionSupport.CheckedBefore;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed)
        {
            return ConditionSupport.Atomic;
        }
    }

    private Task SendAsync(string key, PublishCondition condition, bool inParts, CancellationToken cancellationToken) =>
        publisher.SendAsync(key, new ProbeContent(), condition, inParts, cancellationToken);

    private async Task DeleteAsync(string key, StoreRevision? ifRevision, CancellationToken cancellationToken)
    {
        try
        {
            await connection.CallAsync(
                _ => new HttpRequestMessage(HttpMethod.Delete, addresses.Deletion(key, ifRevision?.Value)), (_, _) => Task.FromResult(true), Doing, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure is { Kind: StoreErrorKind.NotFound, InnerException: not GcsAnswerException { IsOfBucket: true } })
        {
            // What is not there needs no deleting.
        }
    }

    private async Task CleanUpAsync(string key)
    {
        try
        {
            await DeleteAsync(key, null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException failure)
        {
            Log.ProbeNotRemoved(connection.Logger, connection.Settings.Bucket, key, failure.Message);
        }
    }

    private sealed class ProbeContent : IPublishContent
    {
        private static readonly byte[] s_text = Encoding.ASCII.GetBytes("made to find out which conditions the server keeps");

        public long Length => s_text.Length;

        public Stream OpenRead(long offset, long length) => new MemoryStream(s_text, (int)offset, (int)length, writable: false);
    }
}
