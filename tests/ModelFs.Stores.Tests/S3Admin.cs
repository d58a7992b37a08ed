using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.Tests;

/// <summary>What the owner of a bucket on the real server sees and does beside a store.</summary>
internal static class S3Admin
{
    /// <summary>Keys of all versions, also of deleted ones.</summary>
    public static async Task<List<string>> AllVersionsAsync(IModelStore store)
    {
        using var client = Client();
        return [.. ((await client.ListVersionsAsync(BucketOf(store))).Versions ?? []).Select(version => version.Key)];
    }

    /// <summary>Keys of unfinished uploads.</summary>
    public static async Task<List<string>> UploadsAsync(IModelStore store)
    {
        using var client = Client();
        return [.. ((await client.ListMultipartUploadsAsync(BucketOf(store))).MultipartUploads ?? []).Select(upload => upload.Key)];
    }

    public static async Task KeepVersionsAsync(IModelStore store)
    {
        using var client = Client();
        await client.PutBucketVersioningAsync(new PutBucketVersioningRequest { BucketName = BucketOf(store), VersioningConfig = new S3BucketVersioningConfig { Status = VersionStatus.Enabled } });
    }

    /// <summary>Sets the rights of others on the bucket.</summary>
    /// <param name="store">Of the owner.</param>
    /// <param name="actions">For example <c>s3:GetObject</c>.</param>
    public static async Task LetOthersAsync(IModelStore store, params string[] actions)
    {
        var bucket = BucketOf(store);
        var allowed = string.Join(",", actions.Select(action => $"\"{action}\""));
        var policy = $$"""
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":[{{allowed}}],"Resource":["arn:aws:s3:::{{bucket}}","arn:aws:s3:::{{bucket}}/*"]}]}
            """;
        using var client = Client();
        await client.PutBucketPolicyAsync(new PutBucketPolicyRequest { BucketName = bucket, Policy = policy });
    }

    private static string BucketOf(IModelStore store) => store.DisplayName["s3://".Length..].Split('/')[0];

    private static AmazonS3Client Client() => new(
        new BasicAWSCredentials(CephServer.Owner("AWS_ACCESS_KEY_ID"), CephServer.Owner("AWS_SECRET_ACCESS_KEY")),
        new AmazonS3Config
        {
            ServiceURL = CephServer.Endpoint,
            ForcePathStyle = true,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
}
