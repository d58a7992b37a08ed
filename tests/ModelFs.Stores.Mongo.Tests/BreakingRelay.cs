using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>Passes a number of calls on to a server, then breaks all connections and takes no more: what the death of a client looks like to a server.</summary>
internal sealed class BreakingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _host;
    private readonly int _port;
    private int _left;

    public BreakingRelay(string host, int port, int callsMax)
    {
        _host = host;
        _port = port;
        _left = callsMax;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whether a call was not passed on.</summary>
    public bool HasBroken { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            return;
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_host, _port, _stop.Token);
                var answers = server.GetStream().CopyToAsync(client.GetStream(), _stop.Token);
                await Task.WhenAny(PassCallsAsync(client.GetStream(), server.GetStream()), answers);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task PassCallsAsync(NetworkStream client, NetworkStream server)
    {
        var length = new byte[4];
        while (true)
        {
            await client.ReadExactlyAsync(length, _stop.Token);
            var message = new byte[BitConverter.ToInt32(length)];
            length.CopyTo(message, 0);
            await client.ReadExactlyAsync(message.AsMemory(4), _stop.Token);
            if (!IsHandshake(message) && Interlocked.Decrement(ref _left) < 0)
            {
                HasBroken = true;
                return;
            }

            await server.WriteAsync(message, _stop.Token);
        }
    }

    private static bool IsHandshake(byte[] message)
    {
        var start = Encoding.Latin1.GetString(message, 0, Math.Min(message.Length, 64));
        return start.Contains("isMaster", StringComparison.OrdinalIgnoreCase) || start.Contains("hello", StringComparison.Ordinal);
    }
}
