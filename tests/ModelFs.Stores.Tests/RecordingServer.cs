using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ModelFs.Stores.Tests;

/// <summary>A request as it came over the wire.</summary>
/// <param name="Head">Request line and headers.</param>
/// <param name="Body">As it was sent, chunk signatures included.</param>
internal sealed record RecordedRequest(string Head, string Body)
{
    public string Method => Head[..Head.IndexOf(' ', StringComparison.Ordinal)];

    /// <summary>Path and query, or the whole address when the server is spoken to as a proxy.</summary>
    public string Target => Head.Split(' ', 3)[1];

    /// <summary>The value of a header, or null.</summary>
    public string? Header(string name)
    {
        foreach (var line in Head.Split("\r\n"))
        {
            if (line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            {
                return line[(name.Length + 1)..].Trim();
            }
        }

        return null;
    }

    /// <summary>The access key and the region that an AWS signature names.</summary>
    public (string Key, string Region) Signer()
    {
        var scope = Header("Authorization")!.Split("Credential=")[1].Split(',')[0].Split('/');
        return (scope[0], scope[2]);
    }
}

/// <summary>An HTTP server on loopback that keeps every request and answers what the test says.</summary>
internal sealed class RecordingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<RecordedRequest, string> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;

    /// <summary>Starts it.</summary>
    /// <param name="answer">Makes an answer of a request: see <see cref="Answer"/>.</param>
    /// <param name="certificate">For TLS; null for plain http.</param>
    public RecordingServer(Func<RecordedRequest, string> answer, X509Certificate2? certificate = null)
    {
        _answer = answer;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Endpoint => $"{(_certificate is null ? "http" : "https")}://{_listener.LocalEndpoint}";

    /// <summary>In the order of arrival.</summary>
    public ConcurrentQueue<RecordedRequest> Requests { get; } = new();

    /// <summary>An answer: status, headers without the lengths, body.</summary>
    public static string Answer(string status, string body = "", params string[] headers) =>
        $"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await using var stream = await OpenAsync(client);
                var head = new StringBuilder();
                var one = new byte[1];
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    await stream.ReadExactlyAsync(one);
                    head.Append((char)one[0]);
                }

                var request = new RecordedRequest(head.ToString(), "");
                if (request.Header("Expect") is not null)
                {
                    await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray());
                }

                var body = new byte[int.Parse(request.Header("Content-Length") ?? "0", System.Globalization.CultureInfo.InvariantCulture)];
                await stream.ReadExactlyAsync(body);
                request = request with { Body = Encoding.UTF8.GetString(body) };
                Requests.Enqueue(request);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(_answer(request)));
            }
        }
        catch (Exception gone) when (gone is IOException or AuthenticationException)
        {
            // The store hung up, or does not trust the certificate.
        }
    }

    private async Task<Stream> OpenAsync(TcpClient client)
    {
        if (_certificate is null)
        {
            return client.GetStream();
        }

        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(_certificate);
        return tls;
    }
}
