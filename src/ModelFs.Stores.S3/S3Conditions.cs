using System.Net;
using Amazon.S3;

namespace ModelFs.Stores.S3;

/// <summary>Checks conditions by a look-up, and sends them the way the server understands them, which it learns from refusals.</summary>
/// <param name="errors">Makes the messages.</param>
/// <param name="statAsync">Looks a key up.</param>
internal sealed class S3Conditions(S3Errors errors, Func<string, CancellationToken, Task<StoredObject?>> statAsync)
{
    private volatile bool _wantsBareETags;
    private volatile bool _refusesConditions;

    /// <summary>Sends a condition the way the server understands it. The standard form comes first; each other form is tried only after a look-up showed that the condition holds.</summary>
    internal async Task<T> SendAsync<T>(string key, PublishCondition condition, string doing, Func<SentCondition, Task<T>> sendAsync, CancellationToken cancellationToken)
    {
        try
        {
            return await sendAsync(SentCondition.Of(condition, _wantsBareETags, _refusesConditions)).ConfigureAwait(false);
        }
        catch (StoreException failure) when (condition != PublishCondition.None && IsNotImplemented(failure))
        {
            await RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            var answer = await sendAsync(SentCondition.Nothing).ConfigureAwait(false);
            _refusesConditions = true;
            return answer;
        }
        catch (StoreException failure) when (condition.Revision is not null && failure.Kind == StoreErrorKind.PreconditionFailed)
        {
            await RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            return await SendOtherwiseAsync(key, condition, doing, sendAsync, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a condition that holds, and that the server refused in its usual form.</summary>
    private async Task<T> SendOtherwiseAsync<T>(string key, PublishCondition condition, string doing, Func<SentCondition, Task<T>> sendAsync, CancellationToken cancellationToken)
    {
        if (!_wantsBareETags)
        {
            try
            {
                // Ceph compares the header byte for byte with an ETag that has no quotes.
                var answer = await sendAsync(SentCondition.Of(condition, bare: true, refused: false)).ConfigureAwait(false);
                _wantsBareETags = true;
                return answer;
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.PreconditionFailed)
            {
                await RequireAsync(key, condition, doing, cancellationToken).ConfigureAwait(false);
            }
        }

        // In a bucket with versions Ceph compares with the version that is being made, which has no ETag: no condition ever holds.
        return await sendAsync(SentCondition.Nothing).ConfigureAwait(false);
    }

    private static bool IsNotImplemented(StoreException failure) =>
        failure.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.NotImplemented };

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
            throw errors.Error(
                StoreErrorKind.PreconditionFailed,
                doing,
                condition.MustBeAbsent ? "it exists already" : $"it is not at revision {condition.Revision} any more");
        }
    }
}
