using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ModelFs.GcsFake;

/// <summary>
/// A stand-in for Google Cloud Storage on loopback: its JSON API as far as a store of models uses it, a token endpoint and a metadata server.
/// </summary>
/// <remarks>It is not Google's: its tests must also be run against other emulators, by <c>STORAGE_EMULATOR_HOST</c>.</remarks>
public sealed class GcsFakeServer : IAsyncDisposable
{
    private readonly GcsFakeOptions _options;
    private readonly GcsAuthority? _authority;
    private readonly GcsUploads _uploads;
    private readonly GcsApi _api;
    private readonly GcsTokens _tokens;
    private readonly WebApplication _application;

    private GcsFakeServer(GcsFakeOptions options)
    {
        _options = options;
        _authority = options.UsesTls ? new GcsAuthority() : null;
        Owner = new GcsAccount("owner@fake-project.iam.gserviceaccount.com", hasRights: true);
        Stranger = new GcsAccount("stranger@fake-project.iam.gserviceaccount.com", hasRights: false);
        _tokens = new GcsTokens([Owner, Stranger], options);
        var objects = new GcsObjects(options.IgnoresConditions);
        _uploads = new GcsUploads(objects);
        _api = new GcsApi(objects, _uploads, () => Endpoint);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Configure);
        _application = builder.Build();
        _application.Run(ServeAsync);
    }

    /// <summary>Its address, without a trailing slash.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Where service accounts get tokens.</summary>
    public string TokenEndpoint => Endpoint + "/token";

    /// <summary>Where tokens of others are exchanged.</summary>
    public string ExchangeEndpoint => Endpoint + "/sts";

    /// <summary>The certificate of the authority that signed the server's.</summary>
    public string AuthorityPem => _authority?.Pem ?? throw new InvalidOperationException("the server speaks plain http");

    /// <summary>An account that may do everything.</summary>
    public GcsAccount Owner { get; }

    /// <summary>An account that gets tokens, and may do nothing.</summary>
    public GcsAccount Stranger { get; }

    /// <summary>What is to go wrong.</summary>
    public GcsFaults Faults { get; } = new();

    /// <summary>Method and raw target of every request, in order of arrival.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The Content-Range of every chunk and every question after one, in order of arrival.</summary>
    public ConcurrentQueue<string> ContentRanges { get; } = new();

    /// <summary>How many tokens were given.</summary>
    public int TokensGiven => _tokens.Count;

    /// <summary>How many upload sessions were begun and neither finished nor cancelled.</summary>
    public int UploadSessions => _uploads.OpenSessions;

    /// <summary>Starts a server on a free port of loopback.</summary>
    public static async Task<GcsFakeServer> StartAsync(GcsFakeOptions options)
    {
        var server = new GcsFakeServer(options);
        await server._application.StartAsync();
        server.Endpoint = server._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return server;
    }

    /// <summary>Makes every token that was given invalid, before its time.</summary>
    public void RevokeTokens() => _tokens.RevokeAll();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
        _authority?.Dispose();
        Owner.Dispose();
        Stranger.Dispose();
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (_authority is not null)
            {
                listen.UseHttps(_authority.Server);
            }
        });
    }

    private async Task ServeAsync(HttpContext context)
    {
        var request = new GcsRequest(context);
        Requests.Enqueue($"{request.Method} {context.Request.Path}{context.Request.QueryString}");
        if (context.Request.Headers.ContentRange.ToString() is { Length: > 0 } range)
        {
            ContentRanges.Enqueue(range);
        }

        try
        {
            await ServeAsync(request, Faults.Take(context.Request));
        }
        catch (GcsRefusal refusal)
        {
            await RefuseAsync(request, refusal);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client hung up, which is what many tests are about.
        }
    }

    private async Task ServeAsync(GcsRequest request, GcsFault? fault)
    {
        switch (fault)
        {
            case GcsFault.StallFault:
                await Task.Delay(Timeout.Infinite, request.Context.RequestAborted);
                return;
            case GcsFault.CutFault cut:
                await CutAsync(request, cut.Bytes);
                return;
            case GcsFault.AnswerFault answer:
                await request.BodyAsync();
                throw new GcsRefusal(answer.Status, answer.Reason, "An ordered fault");
            default:
                break;
        }

        var body = await request.BodyAsync();
        if (fault is GcsFault.LoseAnswerFault)
        {
            using var lost = new MemoryStream();
            request.Context.Response.Body = lost;
            await DispatchAsync(request, body, corrupts: false);
            request.Context.Abort();
            return;
        }

        await DispatchAsync(request, body, fault is GcsFault.CorruptFault);
    }

    private async Task CutAsync(GcsRequest request, long bytes)
    {
        var part = await request.BodyAsync(bytes);
        if (request.Segments is ["upload", "session", var id])
        {
            _uploads.KeepPart(request, id, part);
        }

        request.Context.Abort();
    }

    private Task DispatchAsync(GcsRequest request, byte[] body, bool corrupts)
    {
        switch (request.Segments)
        {
            case ["token"]:
                return GcsApi.WriteAsync(request.Context, 200, _tokens.Exchange(body, TokenEndpoint));
            case ["sts"]:
                return GcsApi.WriteAsync(request.Context, 200, _tokens.Exchange(body, ExchangeEndpoint));
            case [] or ["computeMetadata", ..]:
                return MetadataAsync(request);
            default:
                Authorize(request);
                return _api.AnswerAsync(request, body, corrupts);
        }
    }

    private Task MetadataAsync(GcsRequest request)
    {
        request.Context.Response.Headers["Metadata-Flavor"] = "Google";
        return request.Context.Request.Headers["Metadata-Flavor"] != "Google" ? throw new GcsRefusal(403, "forbidden", "Missing Metadata-Flavor:Google header.")
            : request.Segments is [.., "token"] ? GcsApi.WriteAsync(request.Context, 200, _tokens.Give(Owner))
            : request.Context.Response.WriteAsync(request.Segments is [.., "project-id"] ? "fake-project" : "computeMetadata/");
    }

    private void Authorize(GcsRequest request)
    {
        if (_options.RequiresToken && !_tokens.AccountOf(request.Context.Request).HasRights)
        {
            throw new GcsRefusal(403, "forbidden", "The caller does not have storage.objects.get access to the Google Cloud Storage object.");
        }
    }

    private static Task RefuseAsync(GcsRequest request, GcsRefusal refusal)
    {
        if (request.Segments is ["token"] or ["sts"])
        {
            return GcsApi.WriteAsync(request.Context, refusal.Status, new JsonObject { ["error"] = refusal.Reason, ["error_description"] = refusal.Message });
        }

        var item = new JsonObject { ["message"] = refusal.Message, ["domain"] = "global", ["reason"] = refusal.Reason };
        return GcsApi.WriteAsync(
            request.Context, refusal.Status, new JsonObject { ["error"] = new JsonObject { ["code"] = refusal.Status, ["message"] = refusal.Message, ["errors"] = new JsonArray(item) } });
    }
}
