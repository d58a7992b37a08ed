using System.Net;
using System.Net.Sockets;

namespace ModelFs.FunctionalTests.S3;

/// <summary>A TCP relay in front of a server: counts requests, stalls, and goes down on demand.</summary>
internal sealed class FaultProxy : IDisposable
{
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _sockets = [];
    private readonly List<string> _requests = [];
    private readonly ManualResetEventSlim _flowing = new(true);
    private readonly int _port;
    private Socket? _listener;
    private long _bytesSent;

    public FaultProxy(string endpoint)
    {
        var url = new Uri(endpoint);
        _target = new IPEndPoint(IPAddress.Parse(url.Host), url.Port);
        _listener = Listen(0);
        _port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
    }

    public string Endpoint => $"http://127.0.0.1:{_port}";

    /// <summary>From clients to the server, in bytes, headers included.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>How many requests were made whose first line starts with <paramref name="start"/>, for example <c>GET /bucket/key</c>.</summary>
    public int Requests(string start)
    {
        lock (_requests)
        {
            return _requests.Count(request => request.StartsWith(start, StringComparison.Ordinal));
        }
    }

    /// <summary>How many requests with this method were made for keys that start with <paramref name="key"/>.</summary>
    public int Requests(string method, string key)
    {
        lock (_requests)
        {
            return _requests.Count(request => request.StartsWith(method, StringComparison.Ordinal) && request.Contains("/" + key, StringComparison.Ordinal));
        }
    }

    /// <summary>From now on bytes stay where they are, in both directions; connections are still accepted.</summary>
    public void Stall() => _flowing.Reset();

    public void Flow() => _flowing.Set();

    /// <summary>Breaks every connection and refuses new ones.</summary>
    public void GoDown()
    {
        _listener?.Dispose();
        _listener = null;
        CloseConnections();
    }

    public void ComeUp() => _listener ??= Listen(_port);

    public void Dispose()
    {
        _stop.Cancel();
        _flowing.Set();
        GoDown();
    }

    private Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(128);
        InBackground(() => Accept(listener));
        return listener;
    }

    private void Accept(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = listener.Accept();
            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            lock (_sockets)
            {
                _sockets.Add(client);
                _sockets.Add(server);
            }

            server.Connect(_target);
            InBackground(() => Relay(client, server, isRequest: true));
            InBackground(() => Relay(server, client, isRequest: false));
        }
    }

    private void Relay(Socket from, Socket to, bool isRequest)
    {
        var buffer = new byte[1 << 16];
        try
        {
            for (var length = from.Receive(buffer); length > 0; length = from.Receive(buffer))
            {
                if (isRequest)
                {
                    Interlocked.Add(ref _bytesSent, length);
                    Note(buffer.AsSpan(0, length));
                }

                _flowing.Wait(_stop.Token);
                for (var sent = 0; sent < length;)
                {
                    sent += to.Send(buffer.AsSpan(sent, length - sent));
                }
            }
        }
        finally
        {
            from.Dispose();
            to.Dispose();
        }
    }

    /// <summary>A request begins at the start of what is received: clients of HTTP/1.1 do not send the next one before the answer.</summary>
    private void Note(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n"u8);
        if (end > 0 && received[..end].EndsWith(" HTTP/1.1"u8))
        {
            lock (_requests)
            {
                _requests.Add(System.Text.Encoding.ASCII.GetString(received[..end]));
            }
        }
    }

    private void CloseConnections()
    {
        lock (_sockets)
        {
            foreach (var socket in _sockets)
            {
                socket.Dispose();
            }

            _sockets.Clear();
        }
    }

    /// <summary>A thread that ends when a socket is closed under it.</summary>
    private static void InBackground(Action work)
    {
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The connection or the listener was closed: nothing is left to relay.
            }
        })
        { IsBackground = true };
        thread.Start();
    }
}
