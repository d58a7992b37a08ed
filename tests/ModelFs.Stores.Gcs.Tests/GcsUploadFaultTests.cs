using ModelFs.GcsFake;

namespace ModelFs.Stores.Gcs.Tests;

/// <summary>Uploads on a server of the test's own that fails as ordered.</summary>
[TestFixture]
internal sealed class GcsUploadFaultTests
{
    private const int KiB = 1 << 10;
    private GcsFakeServer _server = null!;
    private IModelStore _store = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await GcsFakeServer.StartAsync(new GcsFakeOptions());
        _store = GcsServers.On(_server.Endpoint, with: InSmallChunks);
        await _store.OpenAsync(CancellationToken.None);

        // What finds out about conditions uploads, too, and is not what the tests count.
        await _store.ProveConditionsAsync(CancellationToken.None);
        _server.ContentRanges.Clear();
        _server.Requests.Clear();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _store.DisposeAsync();
        await _server.DisposeAsync();
    }

    [TestCase(0, 0)]
    [TestCase(300 * KiB, 256 * KiB)]
    [TestCase(1000 * KiB, 768 * KiB)]
    public async Task After_a_broken_connection_an_upload_goes_on_where_the_server_has_got_to(int cutAfter, int kept)
    {
        _server.Faults.Add(request => IsChunkFrom(request.Headers.ContentRange.ToString(), 1024 * KiB), GcsFault.CutAfter(cutAfter));
        var bytes = BytesContent.Random((3 * 1024 * KiB) + 7, seed: 41);
        var published = await _store.PutAsync("m.tar.gz", bytes, PublishCondition.Absent);

        Assert.That(await _store.GetAsync(published), Is.EqualTo(bytes));
        var resumedAt = (1024 * KiB) + kept;
        Assert.That(_server.ContentRanges, Does.Contain($"bytes */{bytes.Length}"), "it asked");
        Assert.That(_server.ContentRanges, Does.Contain($"bytes {resumedAt}-{Math.Min(resumedAt + (1024 * KiB), bytes.Length) - 1}/{bytes.Length}"), "and went on there");
        Assert.That(_server.ContentRanges.Count(range => range.StartsWith("bytes 0-", StringComparison.Ordinal)), Is.EqualTo(1), "nothing was sent again");
    }

    [Test]
    public async Task An_upload_whose_last_answer_is_lost_has_happened_once()
    {
        var bytes = BytesContent.Random(1500 * KiB, seed: 42);
        _server.Faults.Add(request => IsChunkFrom(request.Headers.ContentRange.ToString(), 1024 * KiB), GcsFault.LoseAnswer);
        var published = await _store.PutAsync("m.tar.gz", bytes, PublishCondition.Absent);
        Assert.That(await _store.StatAsync("m.tar.gz", CancellationToken.None), Is.EqualTo(published));
        Assert.That(await _store.GetAsync(published), Is.EqualTo(bytes));
    }

    [TestCase(503, "backendError")]
    [TestCase(500, "internalError")]
    [TestCase(429, "rateLimitExceeded")]
    [TestCase(403, "userRateLimitExceeded")]
    public async Task A_chunk_that_the_server_is_too_busy_for_is_sent_again(int status, string reason)
    {
        _server.Faults.Add(request => request.Method == "PUT", GcsFault.Answer(status, reason), times: 2);
        var bytes = BytesContent.Random(1500 * KiB, seed: 43);
        Assert.That(await _store.GetAsync(await _store.PutAsync("m.tar.gz", bytes)), Is.EqualTo(bytes));
    }

    [Test]
    public async Task A_stalled_chunk_is_given_up_after_the_deadline_and_resumed()
    {
        _server.Faults.Add(request => IsChunkFrom(request.Headers.ContentRange.ToString(), 1024 * KiB), GcsFault.Stall);
        var bytes = BytesContent.Random(1500 * KiB, seed: 44);
        var bucket = _store.DisplayName["gs://".Length..];
        await using var impatient = GcsServers.On(_server.Endpoint, bucket: bucket, with: options => InSmallChunks(options) with { Deadlines = new StoreDeadlines(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1)) });
        var published = await impatient.PutAsync("m.tar.gz", bytes);
        Assert.That(_server.ContentRanges, Does.Contain($"bytes */{bytes.Length}"));
        Assert.That(await _store.GetAsync(published), Is.EqualTo(bytes));
    }

    [Test]
    public async Task An_upload_that_never_gets_on_is_given_up_and_cancelled()
    {
        _server.Faults.Add(request => request.Method == "PUT", GcsFault.Answer(503, "backendError"), times: 100);
        var failure = await StoreConversations.FailureOf(() => _store.PutAsync("m.tar.gz", new byte[1500 * KiB]));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(failure.Message, Does.Contain("503"));
        Assert.That(_server.UploadSessions, Is.Zero, "its session is cancelled");
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_session_that_is_over_is_not_asked_again()
    {
        _server.Faults.Add(request => request.Method == "PUT", GcsFault.Answer(410, "gone"), times: 100);
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync("m.tar.gz", new byte[1500 * KiB])), Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(_server.Requests.Count(request => request.StartsWith("PUT", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task An_archive_that_changes_while_it_is_sent_is_refused_by_its_checksum([Values(50 * KiB, 1500 * KiB)] int length)
    {
        var failure = await StoreConversations.FailureOf(() => _store.PublishAsync("m.tar.gz", new RestlessContent(length), PublishCondition.None, CancellationToken.None));
        Assert.That(failure.Kind, Is.EqualTo(StoreErrorKind.Rejected));
        Assert.That(failure.Message, Does.Contain("CRC32C"));
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_single_upload_that_is_cut_is_unavailable_and_publishes_nothing()
    {
        _server.Faults.Add(request => request.Method == "POST", GcsFault.CutAfter(10 * KiB));
        Assert.That(await StoreConversations.FailureKindOf(() => _store.PutAsync("m.tar.gz", new byte[90 * KiB])), Is.EqualTo(StoreErrorKind.Unavailable));
        Assert.That(await _store.AllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_cancelled_upload_ends_as_cancelled_and_leaves_no_session()
    {
        using var cancel = new CancellationTokenSource();
        _server.Faults.Add(
            request =>
            {
                if (request.Method == "PUT")
                {
                    cancel.Cancel();
                }

                return request.Method == "PUT";
            },
            GcsFault.Stall);
        await Assert.CatchAsync<OperationCanceledException>(() => _store.PublishAsync("m.tar.gz", new BytesContent(new byte[1500 * KiB]), PublishCondition.None, cancel.Token));
        Assert.That(_server.UploadSessions, Is.Zero);
    }

    [Test]
    public async Task What_is_uploaded_has_the_type_that_others_give_it()
    {
        await _store.PutAsync("m.tar.gz", [1]);
        using var client = new HttpClient();
        var bucket = _store.DisplayName["gs://".Length..];
        Assert.That(await client.GetStringAsync(new Uri($"{_server.Endpoint}/storage/v1/b/{bucket}/o/m.tar.gz")), Does.Contain("\"contentType\":\"application/x-tar\""));
    }

    private static StoreOptions InSmallChunks(StoreOptions options) => options with { SingleUploadBytesMax = 100 * KiB, UploadPartBytes = 1024 * KiB };

    private static bool IsChunkFrom(string contentRange, long offset) => contentRange.StartsWith($"bytes {offset}-", StringComparison.Ordinal);

    /// <summary>Other bytes each time it is read.</summary>
    private sealed class RestlessContent(long length) : IPublishContent
    {
        private int _reads;

        public long Length => length;

        public Stream OpenRead(long offset, long length) => new MemoryStream(BytesContent.Random((int)length, seed: Interlocked.Increment(ref _reads)));
    }
}
