using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace ModelFs.FunctionalTests.S3;

/// <summary>What becomes of a request instead of its being passed on and answered.</summary>
/// <param name="Status">The proxy's own answer; null for none.</param>
/// <param name="Code">The error code in that answer.</param>
/// <param name="LosesAnswer">The server gets the request; its answer is thrown away and the connection closed. Without this and a status, the server sees nothing of it.</param>
internal sealed record ProxyFault(int? Status = null, string Code = "", bool LosesAnswer = false)
{
    /// <summary>The connection is closed before the server sees anything.</summary>
    public static ProxyFault Cut { get; } = new();

    /// <summary>The connection is closed after the server did what was asked.</summary>
    public static ProxyFault LostAnswer { get; } = new(LosesAnswer: true);

    public static ProxyFault Answer(int status, string code) => new(status, code);
}

/// <summary>A TCP relay in front of a server: counts requests, refuses them, stalls, and goes down on demand.</summary>
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

    /// <summary>Asked for every request, by its first line; null passes it on.</summary>
    public Func<string, ProxyFault?> Fault { get; set; } = _ => null;

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
            var losesAnswer = new StrongBox<bool>();
            InBackground(() => RelayRequests(client, server, losesAnswer));
            InBackground(() => RelayAnswers(server, client, losesAnswer));
        }
    }

    private void RelayRequests(Socket client, Socket server, StrongBox<bool> losesAnswer)
    {
        var buffer = new byte[1 << 16];
        try
        {
            for (var length = client.Receive(buffer); length > 0; length = client.Receive(buffer))
            {
                Interlocked.Add(ref _bytesSent, length);
                var fault = LineOf(buffer.AsSpan(0, length)) is { } line ? FaultOf(line) : null;
                if (fault is { LosesAnswer: true })
                {
                    Volatile.Write(ref losesAnswer.Value, true);
                }
                else if (fault is not null)
                {
                    Refuse(client, fault, buffer);
                    return;
                }

                SendAll(server, buffer.AsSpan(0, length));
            }
        }
        finally
        {
            client.Dispose();
            server.Dispose();
        }
    }

    private void RelayAnswers(Socket server, Socket client, StrongBox<bool> losesAnswer)
    {
        var buffer = new byte[1 << 16];
        try
        {
            for (var length = server.Receive(buffer); length > 0; length = server.Receive(buffer))
            {
                if (Volatile.Read(ref losesAnswer.Value) && !buffer.AsSpan(0, length).StartsWith("HTTP/1.1 100 "u8))
                {
                    return;
                }

                SendAll(client, buffer.AsSpan(0, length));
            }
        }
        finally
        {
            server.Dispose();
            client.Dispose();
        }
    }

    private void SendAll(Socket to, ReadOnlySpan<byte> bytes)
    {
        _flowing.Wait(_stop.Token);
        while (bytes.Length > 0)
        {
            bytes = bytes[to.Send(bytes)..];
        }
    }

    /// <summary>A request begins at the start of what is received: clients of HTTP/1.1 do not send the next one before the answer.</summary>
    private static string? LineOf(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n"u8);
        return end > 0 && received[..end].EndsWith(" HTTP/1.1"u8) ? Encoding.ASCII.GetString(received[..end]) : null;
    }

    private ProxyFault? FaultOf(string line)
    {
        lock (_requests)
        {
            _requests.Add(line);
        }

        return Fault(line);
    }

    /// <summary>Answers, and reads what the client still sends, so that it sees the answer and not a reset.</summary>
    private static void Refuse(Socket client, ProxyFault fault, byte[] buffer)
    {
        if (fault.Status is not { } status)
        {
            return;
        }

        var body = $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{fault.Code}</Code><Message>refused by the test</Message></Error>";
        client.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Refused\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
        client.Shutdown(SocketShutdown.Send);
        while (client.Receive(buffer) > 0)
        {
            // Until the client has closed its side.
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
