using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ModelFs.Stores.Tests;

/// <summary>Carries connections to a server, counts what goes there, and can break each connection after a number of bytes.</summary>
internal sealed class CountingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly Uri _server;
    private readonly long _connectionBytesMax;
    private long _sent;

    public CountingRelay(string server, long connectionBytesMax = long.MaxValue)
    {
        _connectionBytesMax = connectionBytesMax;
        _server = new Uri(server);
        _listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    public string Endpoint => $"{_server.Scheme}://{_listener.LocalEndpoint}";

    /// <summary>From clients to the server, in bytes.</summary>
    public long BytesSent => Interlocked.Read(ref _sent);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        foreach (var client in _clients)
        {
            client.Dispose();
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
                var server = new TcpClient();
                _clients.Add(client);
                _clients.Add(server);
                await server.ConnectAsync(_server.Host, _server.Port, _stop.Token);
                _ = CarryAsync(client, server, _connectionBytesMax, count => Interlocked.Add(ref _sent, count));
                _ = CarryAsync(server, client, long.MaxValue, _ => { });
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task CarryAsync(TcpClient from, TcpClient to, long bytesMax, Action<int> count)
    {
        long carried = 0;
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0)
            {
                count(read);
                if ((carried += read) > bytesMax)
                {
                    from.Dispose();
                    to.Dispose();
                    return;
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }

            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception stopped) when (stopped is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // One side hung up.
        }
    }
}
