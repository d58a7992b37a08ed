using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ModelFs.Stores.S3;

namespace ModelFs.Stores.Tests;

/// <summary>The contract against Ceph's object gateway, in a bucket with versioning and below a prefix of it.</summary>
[TestFixture]
internal sealed class S3HistoryTests : ObjectHistoryContract
{
    protected override async Task<IModelStore> CreateEmptyStoreAsync()
    {
        var bucket = await S3Versioning.NewBucketAsync(VersionStatus.Enabled);
        return new S3StoreFactory().Create(StoreUrl.Parse($"s3://{bucket}/team?endpoint={CephServer.Endpoint}"), new StoreOptions { Environment = CephServer.Owner });
    }

    [Test]
    public async Task A_past_of_several_pages_is_listed_whole()
    {
        const int Count = 1100;
        await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => await Store.PutAsync("m.tar.gz", new byte[i % 7], null));
        Assert.That((await PastOfAsync("m.tar.gz")).Past, Has.Count.EqualTo(Count - 1));
    }
}

/// <summary>The contract with every restore sent in parts.</summary>
[TestFixture]
internal sealed class S3MultipartHistoryTests : ObjectHistoryContract
{
    protected override async Task<IModelStore> CreateEmptyStoreAsync() =>
        S3Stores.Of(await S3Versioning.NewBucketAsync(VersionStatus.Enabled), new StoreOptions { Environment = CephServer.Owner, SingleUploadBytesMax = 4096 });
}

/// <summary>What is said about buckets that keep nothing, or not any more.</summary>
[TestFixture]
internal sealed class S3VersioningTests
{
    [Test]
    public async Task A_bucket_without_versioning_says_how_to_switch_it_on()
    {
        await using var store = S3Stores.New();
        await store.OpenAsync(CancellationToken.None);
        await store.PutAsync("m.tar.gz", [1]);
        await store.PutAsync("m.tar.gz", [2]);
        var past = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        Assert.That(past.Current, Is.Not.Null);
        Assert.That(past.Past, Is.Empty);
        Assert.That(past.WhyNotKept, Does.Contain("versioning is off").And.Contain("put-bucket-versioning").And.Contain(CephServer.Endpoint));
    }

    [Test]
    public async Task What_was_there_before_versioning_is_a_past_revision_too_and_is_told_from_a_later_one_of_the_same_name()
    {
        var bucket = await S3Versioning.NewBucketAsync(null);
        await using var store = S3Stores.Of(bucket);
        await store.OpenAsync(CancellationToken.None);
        await store.PutAsync("m.tar.gz", [1]);
        await S3Versioning.SetAsync(bucket, VersionStatus.Enabled);
        await store.PutAsync("m.tar.gz", [2, 2]);
        var before = await store.History!.ListAsync("m.tar.gz", CancellationToken.None);
        await S3Versioning.SetAsync(bucket, VersionStatus.Suspended);
        await store.PutAsync("m.tar.gz", [3]);

        // The version that was called null is this one now.
        var condition = PublishCondition.Matches((await store.StatAsync("m.tar.gz", CancellationToken.None))!.Revision);
        Assert.That(
            await StoreConversations.FailureKindOf(() => store.History.RestoreAsync(before.Past.Single(), condition, CancellationToken.None)),
            Is.EqualTo(StoreErrorKind.RevisionChanged));
        var after = await store.History.ListAsync("m.tar.gz", CancellationToken.None);
        Assert.That(after.Past.Select(each => each.Length), Is.EqualTo(new long[] { 2 }));
        Assert.That(after.WhyNotKept, Does.Contain("suspended").And.Contain("put-bucket-versioning"));
    }

    [Test]
    public async Task Missing_rights_are_named()
    {
        var bucket = await S3Versioning.NewBucketAsync(VersionStatus.Enabled);
        await using var owner = S3Stores.Of(bucket);
        await owner.OpenAsync(CancellationToken.None);
        await using var stranger = S3Stores.Of(bucket, new StoreOptions { Environment = CephServer.Stranger });
        var failure = await StoreConversations.FailureOf(() => stranger.History!.ListAsync("m.tar.gz", CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.AccessDenied));
    }
}

/// <summary>Sets buckets up as their owner does.</summary>
internal static class S3Versioning
{
    public static async Task<string> NewBucketAsync(VersionStatus? status)
    {
        var bucket = S3Stores.NewBucket();
        using var client = Client();
        // Otherwise the SDK sends the region that it found in the machine's environment when it first looked.
        await client.PutBucketAsync(new PutBucketRequest { BucketName = bucket, UseClientRegion = false });
        if (status is not null)
        {
            await SetAsync(bucket, status);
        }

        return bucket;
    }

    public static async Task SetAsync(string bucket, VersionStatus status)
    {
        using var client = Client();
        await client.PutBucketVersioningAsync(new PutBucketVersioningRequest { BucketName = bucket, VersioningConfig = new S3BucketVersioningConfig { Status = status } });
    }

    private static AmazonS3Client Client() => new(
        new BasicAWSCredentials(CephServer.Owner("AWS_ACCESS_KEY_ID"), CephServer.Owner("AWS_SECRET_ACCESS_KEY")),
        new AmazonS3Config { ServiceURL = CephServer.Endpoint, ForcePathStyle = true, AuthenticationRegion = "us-east-1", RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED });
}
