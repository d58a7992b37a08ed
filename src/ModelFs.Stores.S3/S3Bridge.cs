using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>
/// Puts a part together that is mostly copied and has few new bytes, which S3 does not take for a part in the middle of an archive: as a hidden object, of which the last part
/// may be small, and what follows as an object of that one and another last part. The archive's part is a copy of it, and it is deleted.
/// </summary>
/// <param name="connection">To the server.</param>
internal sealed class S3Bridge(S3Connection connection)
{
    /// <summary>What these objects are called. One that a daemon left when it died is removed by <see cref="S3ConditionProbe"/>.</summary>
    internal const string KeyPrefix = S3ConditionProbe.OwnPrefix + "part-";

    private volatile bool _isAllowed = true;

    /// <summary>False once the server refused to make such an object or to delete it.</summary>
    internal bool IsAllowed => _isAllowed;

    private S3Settings Settings => connection.Settings;

    /// <summary>Gives an upload a part that is put together first.</summary>
    /// <returns>Null when the server does not allow it; nothing is lost.</returns>
    internal async Task<PartETag?> TryCopyAsync(string key, string upload, IPublishContent content, PlannedPart part, CancellationToken cancellationToken)
    {
        if (!_isAllowed)
        {
            return null;
        }

        var made = new List<Made>();
        try
        {
            var source = CopySource.Of(content.Source!, part.Pieces[0].SourceOffset!.Value, part.Pieces[0].Length);
            foreach (var piece in part.Pieces.Skip(1))
            {
                source = await AppendAsync(source, content, piece, made, cancellationToken).ConfigureAwait(false);
            }

            return await CopyAsync(key, upload, part.Number, source with { Offset = part.LeadBytes, Length = part.Length }, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.Rejected or StoreErrorKind.AccessDenied)
        {
            _isAllowed = false;
            Log.BridgeRefused(connection.Logger, Settings.Bucket, KeyPrefix, failure.Message);
            return null;
        }
        finally
        {
            foreach (var each in made)
            {
                await RemoveAsync(each).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes an object of what is copied and one piece behind it.</summary>
    private async Task<CopySource> AppendAsync(CopySource source, IPublishContent content, ContentSegment piece, List<Made> made, CancellationToken cancellationToken)
    {
        var key = KeyPrefix + Guid.NewGuid().ToString("N");
        var doing = $"publishing {content.Source!.Key}";
        var begin = new InitiateMultipartUploadRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, RequestPayer = connection.Payer };
        S3MultipartUpload.Encrypt(begin, Settings);
        var upload = (await connection.CallAsync((client, deadline) => client.InitiateMultipartUploadAsync(begin, deadline.Token), doing, cancellationToken).ConfigureAwait(false)).UploadId;
        var mine = new Made(key, upload);
        made.Add(mine);
        var last = new PlannedPart(2, piece.Offset, piece.Length, piece.SourceOffset);
        PartETag[] parts = await Task.WhenAll(
            CopyAsync(key, upload, 1, source, cancellationToken),
            piece.SourceOffset is { } offset
                ? connection.CopyPartAsync(key, upload, last.Number, CopySource.Of(content.Source, offset, piece.Length), cancellationToken)
                : connection.SendBodyAsync(inChunks => connection.SendPartAsync(key, upload, content, last, inChunks, cancellationToken))).ConfigureAwait(false);
        var complete = new CompleteMultipartUploadRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, UploadId = upload, PartETags = [.. parts], RequestPayer = connection.Payer };
        var answer = await connection.CallAsync((client, deadline) => client.CompleteMultipartUploadAsync(complete, deadline.Token), doing, cancellationToken).ConfigureAwait(false);
        (mine.IsComplete, mine.Version) = (true, answer.VersionId);
        return new CopySource(key, null, 0, source.Length + piece.Length);
    }

    /// <summary>A bridge that is not there is made again.</summary>
    private async Task<PartETag> CopyAsync(string key, string upload, int number, CopySource source, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.CopyPartAsync(key, upload, number, source, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.RevisionChanged && source.Revision is null)
        {
            throw connection.Errors.Error(StoreErrorKind.Unavailable, $"publishing {key}", "an object that was put together for it is gone", failure);
        }
    }

    /// <summary>Never throws. In a bucket with versions no version of it stays, either.</summary>
    private async Task RemoveAsync(Made made)
    {
        try
        {
            if (!made.IsComplete)
            {
                var abort = new AbortMultipartUploadRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + made.Key, UploadId = made.Upload, RequestPayer = connection.Payer };
                await connection.CallAsync((client, deadline) => client.AbortMultipartUploadAsync(abort, deadline.Token), $"removing {made.Key}", CancellationToken.None).ConfigureAwait(false);
                return;
            }

            var marker = await DeleteAsync(made.Key, IsVersion(made.Version) ? made.Version : null).ConfigureAwait(false);
            if (!IsVersion(made.Version) && IsVersion(marker.VersionId))
            {
                // The server keeps versions, and told none when the object was complete.
                var list = new ListVersionsRequest { BucketName = Settings.Bucket, Prefix = Settings.Prefix + made.Key };
                var found = await connection.CallAsync((client, deadline) => client.ListVersionsAsync(list, deadline.Token), $"removing {made.Key}", CancellationToken.None).ConfigureAwait(false);
                foreach (var version in found.Versions ?? [])
                {
                    await DeleteAsync(made.Key, version.VersionId).ConfigureAwait(false);
                }
            }
        }
        catch (StoreException failure)
        {
            // Where it was only the line, the next probe of conditions removes it.
            _isAllowed &= failure.Kind is not (StoreErrorKind.AccessDenied or StoreErrorKind.Rejected);
            Log.BridgeNotRemoved(connection.Logger, Settings.Bucket, made.Key, failure.Message);
        }
    }

    private static bool IsVersion(string? id) => !string.IsNullOrEmpty(id) && id != "null";

    private Task<DeleteObjectResponse> DeleteAsync(string key, string? version)
    {
        var request = new DeleteObjectRequest { BucketName = Settings.Bucket, Key = Settings.Prefix + key, VersionId = version, RequestPayer = connection.Payer };
        return connection.CallAsync((client, deadline) => client.DeleteObjectAsync(request, deadline.Token), $"removing {key}", CancellationToken.None);
    }

    /// <summary>An object of this class, begun or complete.</summary>
    private sealed class Made(string key, string upload)
    {
        public string Key => key;

        public string Upload => upload;

        public bool IsComplete { get; set; }

        public string? Version { get; set; }
    }
}
