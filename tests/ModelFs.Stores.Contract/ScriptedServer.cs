using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ModelFs.Stores.Contract;

/// <summary>A server on loopback that reads a request's head and then does what the test says with the connection.</summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly Func<NetworkStream, Task> _answer;
    private readonly Task _accepting;

    public ScriptedServer(Func<NetworkStream, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Endpoint => $"http://{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        foreach (var client in _clients)
        {
            client.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _clients.Add(client);
                _ = ServeAsync(client);
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
                var stream = client.GetStream();
                await stream.ReadAtLeastAsync(new byte[16 * 1024], 1);
                await _answer(stream);
            }
        }
        catch (IOException)
        {
            // The store hung up, which is what many tests are about.
        }
    }
}
