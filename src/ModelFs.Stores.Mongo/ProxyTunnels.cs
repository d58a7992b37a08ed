using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using MongoDB.Driver.Core.Configuration;
using MongoDB.Driver.Core.Connections;

namespace ModelFs.Stores.Mongo;

/// <summary>
/// Connections to servers through the proxy that HTTPS_PROXY or ALL_PROXY names, unless NO_PROXY excepts the server: a tunnel by CONNECT, in
/// which TLS runs from end to end. The driver itself knows SOCKS proxies only.
/// </summary>
/// <param name="connectTimeout">For the proxy's answer.</param>
internal sealed class ProxyTunnels(TimeSpan connectTimeout) : IStreamFactory
{
    private const int HeadBytesMax = 16 * 1024;

    /// <summary>Has a client of TLS connections use the proxy where there is one for the server.</summary>
    internal static void Use(ClusterBuilder builder, TimeSpan connectTimeout)
    {
        SslStreamSettings? tls = null;
        builder.ConfigureSsl(settings => tls = settings);
        Register(builder, direct => new Choice(direct, new SslStreamFactory(tls, new ProxyTunnels(connectTimeout))));
    }

    /// <inheritdoc/>
    public Stream CreateStream(EndPoint endPoint, CancellationToken cancellationToken) =>
        CreateStreamAsync(endPoint, cancellationToken).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async Task<Stream> CreateStreamAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var server = AddressOf(endPoint);
        var proxy = HttpClient.DefaultProxy.GetProxy(server)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(connectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(proxy.Host, proxy.Port, patience.Token).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Request(server, proxy)), patience.Token).ConfigureAwait(false);
            RequireSuccess(await ReadHeadAsync(stream, patience.Token).ConfigureAwait(false), server, proxy);
            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The driver's hook for connections of one's own; it is internal, and the version is pinned.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "RegisterStreamFactory")]
    private static extern ClusterBuilder Register(ClusterBuilder builder, Func<IStreamFactory, IStreamFactory> wrapper);

    private static Uri AddressOf(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint named => new UriBuilder(Uri.UriSchemeHttps, named.Host, named.Port).Uri,
        IPEndPoint numbered => new UriBuilder(Uri.UriSchemeHttps, numbered.Address.ToString(), numbered.Port).Uri,
        _ => throw new NotSupportedException($"{endPoint} is no address of TCP"),
    };

    private static string Request(Uri server, Uri proxy)
    {
        var host = $"{server.Host}:{server.Port}";
        var request = new StringBuilder($"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n");
        if (HttpClient.DefaultProxy.Credentials?.GetCredential(proxy, "Basic") is { } login)
        {
            request.Append("Proxy-Authorization: Basic ").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{login.UserName}:{login.Password}"))).Append("\r\n");
        }

        return request.Append("\r\n").ToString();
    }

    /// <summary>Byte by byte, because what follows the head belongs to the server.</summary>
    private static async Task<string> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (head.Length < HeadBytesMax && await stream.ReadAsync(one, cancellationToken).ConfigureAwait(false) > 0)
        {
            head.Append((char)one[0]);
            if (one[0] == '\n' && head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n")
            {
                break;
            }
        }

        return head.ToString();
    }

    private static void RequireSuccess(string head, Uri server, Uri proxy)
    {
        var status = head.Split('\r')[0].Split(' ', 3);
        if (status.Length < 2 || status[1].Length != 3 || status[1][0] != '2')
        {
            throw new ProxyException(
                $"the proxy {proxy.Host}:{proxy.Port} (HTTPS_PROXY) makes no tunnel to {server.Host}:{server.Port}: '{head.Split('\r')[0]}'; if the server can be reached without it, name it in NO_PROXY");
        }
    }

    /// <summary>Directly, or through the proxy.</summary>
    private sealed class Choice(IStreamFactory direct, IStreamFactory tunnelled) : IStreamFactory
    {
        public Stream CreateStream(EndPoint endPoint, CancellationToken cancellationToken) => For(endPoint).CreateStream(endPoint, cancellationToken);

        public Task<Stream> CreateStreamAsync(EndPoint endPoint, CancellationToken cancellationToken) => For(endPoint).CreateStreamAsync(endPoint, cancellationToken);

        private IStreamFactory For(EndPoint endPoint)
        {
            if (endPoint is not (DnsEndPoint or IPEndPoint))
            {
                return direct;
            }

            var server = AddressOf(endPoint);
            return HttpClient.DefaultProxy.IsBypassed(server) || HttpClient.DefaultProxy.GetProxy(server) is null ? direct : tunnelled;
        }
    }
}

/// <summary>The proxy refused a tunnel; the message says what to do.</summary>
internal sealed class ProxyException(string message) : IOException(message);
