using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>A web proxy that makes tunnels by CONNECT and nothing else, and counts what goes through them.</summary>
internal sealed class ConnectProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<IDisposable> _open = [];
    private long _toServers;
    private long _toClients;

    public ConnectProxy()
    {
        _listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    /// <summary>What HTTPS_PROXY takes.</summary>
    public string Url => $"http://{_listener.LocalEndpoint}";

    /// <summary>Host and port of every tunnel, in the order of their making.</summary>
    public ConcurrentQueue<string> Tunnels { get; } = new();

    /// <summary>First lines of requests that were refused.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    /// <summary>In bytes.</summary>
    public long ToServers => Interlocked.Read(ref _toServers);

    /// <summary>In bytes.</summary>
    public long ToClients => Interlocked.Read(ref _toClients);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        foreach (var socket in _open)
        {
            socket.Dispose();
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _open.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            var stream = client.GetStream();
            var words = (await ReadHeadAsync(stream)).Split("\r\n")[0].Split(' ');
            if (words is not ["CONNECT", var target, _])
            {
                Refused.Enqueue(string.Join(' ', words));
                await stream.WriteAsync("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), _stop.Token);
                client.Dispose();
                return;
            }

            Tunnels.Enqueue(target);
            var server = new TcpClient();
            _open.Add(server);
            await server.ConnectAsync(target[..target.LastIndexOf(':')], int.Parse(target[(target.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture), _stop.Token);
            await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _stop.Token);
            var up = CarryAsync(client, server, count => Interlocked.Add(ref _toServers, count));
            await CarryAsync(server, client, count => Interlocked.Add(ref _toClients, count));
            await up;
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            client.Dispose();
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private async Task CarryAsync(TcpClient from, TcpClient to, Action<int> count)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0)
        {
            count(read);
            await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }

        to.Client.Shutdown(SocketShutdown.Send);
    }
}
