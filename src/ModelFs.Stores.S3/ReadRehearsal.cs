using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ModelFs.Stores.S3;

/// <summary>
/// Goes through a read of the SDK once, with an answer that comes from nowhere. The runtime makes much of the SDK's generic code when it first comes to it, and whoever looks into the
/// first model should not wait for that.
/// </summary>
internal sealed class ReadRehearsal : HttpClientFactory
{
    private const int BodyBytes = 16;

    private static int s_isDone;

    private ReadRehearsal()
    {
    }

    /// <summary>Starts it in the background, the first time that it is asked to in this process.</summary>
    /// <param name="configuration">As that of the real client; becomes the rehearsal's.</param>
    internal static void Begin(AmazonS3Config configuration)
    {
        if (Interlocked.Exchange(ref s_isDone, 1) == 0)
        {
            // Nothing depends on it.
            _ = Task.Run(() => RunAsync(configuration)).ContinueWith(rehearsal => _ = rehearsal.Exception, TaskScheduler.Default);
        }
    }

    /// <inheritdoc/>
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Answer());

    /// <inheritdoc/>
    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

    /// <summary>Carries it out.</summary>
    internal static async Task RunAsync(AmazonS3Config configuration)
    {
        configuration.HttpClientFactory = new ReadRehearsal();
        using var client = new AmazonS3Client(new BasicAWSCredentials("rehearsal", "rehearsal"), configuration);
        using var response = await client.GetObjectAsync(
            new GetObjectRequest { BucketName = "rehearsal", Key = "rehearsal", ByteRange = new ByteRange(0, BodyBytes - 1), EtagToMatch = "\"0\"" }).ConfigureAwait(false);
        await response.ResponseStream.ReadExactlyAsync(new byte[BodyBytes]).ConfigureAwait(false);
    }

    private sealed class Answer : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new HttpResponseMessage(HttpStatusCode.PartialContent) { Content = new ByteArrayContent(new byte[BodyBytes]), RequestMessage = request };
            response.Headers.TryAddWithoutValidation("ETag", "\"0\"");
            response.Content.Headers.TryAddWithoutValidation("Content-Range", $"bytes 0-{BodyBytes - 1}/{BodyBytes}");
            response.Content.Headers.TryAddWithoutValidation("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT");
            return Task.FromResult(response);
        }
    }
}
