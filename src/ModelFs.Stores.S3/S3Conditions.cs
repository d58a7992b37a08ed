using System.Net;
using Amazon.S3;

namespace ModelFs.Stores.S3;

/// <summary>Knows which conditions the server keeps, sends them the way it understands them, and checks by a look-up what it does not keep.</summary>
/// <param name="connection">To the server.</param>
/// <param name="statAsync">Looks a key up.</param>
internal sealed class S3Conditions(S3Connection connection, Func<string, CancellationToken, Task<StoredObject?>> statAsync) : IDisposable
{
    private readonly SemaphoreSlim _proving = new(1);
    private volatile S3ConditionProof _proof = S3ConditionProof.None;

    /// <summary>What is known so far.</summary>
    internal S3ConditionProof Proof => _proof;

    /// <inheritdoc/>
    public void Dispose() => _proving.Dispose();

    /// <summary>Asks the server, once.</summary>
    /// <exception cref="StoreException">It can't be asked now.</exception>
    internal async Task ProveAsync(CancellationToken cancellationToken)
    {
        if (_proof != S3ConditionProof.None)
        {
            return;
        }

        await _proving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_proof == S3ConditionProof.None)
            {
                var proof = await new S3ConditionProbe(connection).RunAsync(cancellationToken).ConfigureAwait(false);
                Log.ConditionsProven(connection.Logger, connection.Settings.Bucket, proof);
                _proof = proof;
            }
        }
        finally
        {
            _proving.Release();
        }
    }

    /// <summary>Whether the server answered that it does not know what was asked.</summary>
    internal static bool IsNotImplemented(StoreException failure) =>
        failure.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.NotImplemented };

    /// <summary>Sends a condition the way the server understands it. The standard form comes first; another is tried only after a look-up showed that the condition holds.</summary>
    internal async Task<T> SendAsync<T>(string key, PublishCondition condition, string doing, Func<SentCondition, Task<T>> sendAsync, CancellationToken cancellationToken)
    {
        var proof = _proof;
        var isSent = condition != PublishCondition.None && !proof.RefusesConditions && !(proof.RefusesMatches && condition.Revision is not null);
        try
        {
            return await sendAsync(isSent ? SentCondition.Of(condition, proof.WantsBareETags) : SentCondition.Nothing).ConfigureAwait(false);
        }
        catch (StoreException failure) when (isSent && IsNotImplemented(failure))
        {
            await RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            return await sendAsync(SentCondition.Nothing).ConfigureAwait(false);
        }
        catch (StoreException failure) when (isSent && condition.Revision is not null && failure.Kind == StoreErrorKind.PreconditionFailed)
        {
            await RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            return await SendOtherwiseAsync(key, condition, doing, proof.WantsBareETags, sendAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (isSent && failure.InnerException is AmazonS3Exception { ErrorCode: "NoSuchKey" })
        {
            throw Unmet(condition, doing, failure);
        }
    }

    /// <summary>Sends a condition that holds, and that the server refused in its usual form.</summary>
    private async Task<T> SendOtherwiseAsync<T>(
        string key, PublishCondition condition, string doing, bool wasBare, Func<SentCondition, Task<T>> sendAsync, CancellationToken cancellationToken)
    {
        if (!wasBare)
        {
            try
            {
                // Ceph compares the header byte for byte with an ETag that has no quotes.
                return await sendAsync(SentCondition.Of(condition, bare: true)).ConfigureAwait(false);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed)
            {
                await RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            }
        }

        // In a bucket with versions Ceph compares with the version that is being made, which has no ETag: no condition ever holds.
        return await sendAsync(SentCondition.Nothing).ConfigureAwait(false);
    }

    /// <summary>Checks a condition by a look-up.</summary>
    internal async Task RequireAsync(string key, PublishCondition condition, string doing, CancellationToken cancellationToken)
    {
        if (condition == PublishCondition.None)
        {
            return;
        }

        var current = await statAsync(key, cancellationToken).ConfigureAwait(false);
        var holds = condition.MustBeAbsent ? current is null : current?.Revision == condition.Revision;
        if (!holds)
        {
            throw Unmet(condition, doing, null);
        }
    }

    private StoreException Unmet(PublishCondition condition, string doing, Exception? inner) => connection.Errors.Error(
        StoreErrorKind.PreconditionFailed,
        doing,
        condition.MustBeAbsent ? "it exists already" : $"it is not at revision {condition.Revision} any more",
        inner);
}
