using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ModelFs.CrashTests.S3;

/// <summary>Where a request is on its way to the server and back.</summary>
internal enum ProxyPhase
{
    /// <summary>The server has seen nothing of it.</summary>
    Begun,

    /// <summary>The server has half of its body; only requests with a body come here.</summary>
    HalfSent,

    /// <summary>The server has all of it.</summary>
    Sent,

    /// <summary>The server has answered; the client has seen nothing of that.</summary>
    AnswerHeld,

    /// <summary>The client has half of the answer's body; only answers with a body come here.</summary>
    HalfAnswered,

    /// <summary>The client has the answer.</summary>
    Answered,
}

/// <summary>A request that passes the proxy.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Line">Method and target.</param>
internal sealed record ProxiedRequest(int Number, string Line);

/// <summary>What becomes of a request at a phase: it goes on, both connections are closed, or the client gets a status of the proxy's own.</summary>
/// <param name="Closes">Whether it ends here.</param>
/// <param name="Status">An answer instead of the server's; only at <see cref="ProxyPhase.Begun"/>.</param>
internal readonly record struct ProxyVerdict(bool Closes, int? Status = null)
{
    public static ProxyVerdict Pass => default;

    public static ProxyVerdict Close => new(true);

    public static ProxyVerdict Answer(int status) => new(false, status);
}

/// <summary>
/// Stands before an HTTP server and asks the test at every phase of every request what becomes of it, so that a test can fail, hold or lose
/// exactly one, or kill somebody at exactly that moment.
/// </summary>
internal sealed class HttpFaultProxy : IDisposable
{
    private readonly IPEndPoint _target;
    private readonly Socket _listener;
    private readonly List<Socket> _sockets = [];
    private int _count;

    public HttpFaultProxy(string endpoint)
    {
        var url = new Uri(endpoint);
        _target = new IPEndPoint(IPAddress.Parse(url.Host), url.Port);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        InBackground(Accept);
    }

    public string Endpoint => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    /// <summary>Asked on the request's own thread, which may wait.</summary>
    public Func<ProxiedRequest, ProxyPhase, ProxyVerdict> Decide { get; set; } = (_, _) => ProxyVerdict.Pass;

    /// <summary>Requests are counted from here.</summary>
    public void Restart() => Interlocked.Exchange(ref _count, 0);

    /// <summary>Breaks every connection.</summary>
    public void CloseConnections()
    {
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Dispose());
            _sockets.Clear();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        CloseConnections();
    }

    private void Accept()
    {
        while (true)
        {
            var client = _listener.Accept();
            client.NoDelay = true;
            InBackground(() => Serve(client));
        }
    }

    private void Serve(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        lock (_sockets)
        {
            _sockets.Add(client);
            _sockets.Add(server);
        }

        try
        {
            server.Connect(_target);
            using var fromClient = new NetworkStream(client);
            using var fromServer = new NetworkStream(server);
            while (ServeOne(fromClient, fromServer))
            {
                // The next request of the connection.
            }
        }
        finally
        {
            client.Dispose();
            server.Dispose();
        }
    }

    /// <returns>False when the connection is at its end.</returns>
    private bool ServeOne(NetworkStream client, NetworkStream server)
    {
        if (ReadHead(client) is not { } head)
        {
            return false;
        }

        var line = head[0][..head[0].LastIndexOf(' ')];
        var request = new ProxiedRequest(Interlocked.Increment(ref _count), line);
        var length = long.Parse(HeaderOf(head, "content-length") ?? "0", CultureInfo.InvariantCulture);
        var verdict = Decide(request, ProxyPhase.Begun);
        if (verdict.Closes)
        {
            return false;
        }

        if (HeaderOf(head, "expect") is not null)
        {
            head.RemoveAll(each => each.StartsWith("expect:", StringComparison.OrdinalIgnoreCase));
            client.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
        }

        if (verdict.Status is { } status)
        {
            Copy(client, Stream.Null, length);
            client.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Injected\r\nContent-Length: 0\r\n\r\n"));
            return true;
        }

        WriteHead(server, head);
        if (length > 0)
        {
            Copy(client, server, length / 2);
            if (Decide(request, ProxyPhase.HalfSent).Closes)
            {
                return false;
            }

            Copy(client, server, length - (length / 2));
        }

        return !Decide(request, ProxyPhase.Sent).Closes && Answer(request, head[0], client, server);
    }

    private bool Answer(ProxiedRequest request, string requestLine, NetworkStream client, NetworkStream server)
    {
        List<string>? head;
        do
        {
            head = ReadHead(server);
            if (head is null)
            {
                return false;
            }
        }
        while (head[0].Contains(" 100 ", StringComparison.Ordinal));

        var hasBody = !requestLine.StartsWith("HEAD ", StringComparison.Ordinal) && !head[0].Contains(" 204", StringComparison.Ordinal) && !head[0].Contains(" 304", StringComparison.Ordinal);
        var isChunked = HeaderOf(head, "transfer-encoding") is not null;
        var length = hasBody && !isChunked ? long.Parse(HeaderOf(head, "content-length") ?? "0", CultureInfo.InvariantCulture) : 0;
        if (Decide(request, ProxyPhase.AnswerHeld).Closes)
        {
            return false;
        }

        WriteHead(client, head);
        if (hasBody && isChunked)
        {
            CopyChunks(server, client);
        }
        else if (length > 0)
        {
            Copy(server, client, length / 2);
            if (Decide(request, ProxyPhase.HalfAnswered).Closes)
            {
                return false;
            }

            Copy(server, client, length - (length / 2));
        }

        return !Decide(request, ProxyPhase.Answered).Closes && HeaderOf(head, "connection") is not "close" and not "Close";
    }

    private static void CopyChunks(Stream from, Stream to)
    {
        while (true)
        {
            var line = ReadLine(from) ?? throw new IOException("the answer ends in the middle");
            to.Write(Encoding.ASCII.GetBytes(line + "\r\n"));
            var size = long.Parse(line.Split(';')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            Copy(from, to, size);
            to.Write(Encoding.ASCII.GetBytes((size > 0 ? ReadLine(from) : ReadTrailer(from)) + "\r\n"));
            if (size == 0)
            {
                return;
            }
        }
    }

    private static string ReadTrailer(Stream from)
    {
        var text = new StringBuilder();
        for (var line = ReadLine(from); line is { Length: > 0 }; line = ReadLine(from))
        {
            text.Append(line).Append("\r\n");
        }

        return text.ToString();
    }

    private static List<string>? ReadHead(Stream from)
    {
        var lines = new List<string>();
        for (var line = ReadLine(from); line is { Length: > 0 }; line = ReadLine(from))
        {
            lines.Add(line);
        }

        return lines.Count == 0 ? null : lines;
    }

    private static string? ReadLine(Stream from)
    {
        var text = new StringBuilder();
        for (var value = from.ReadByte(); value != '\n'; value = from.ReadByte())
        {
            if (value < 0)
            {
                return null;
            }

            if (value != '\r')
            {
                text.Append((char)value);
            }
        }

        return text.ToString();
    }

    private static void WriteHead(Stream to, List<string> head) => to.Write(Encoding.Latin1.GetBytes(string.Join("\r\n", head) + "\r\n\r\n"));

    private static string? HeaderOf(List<string> head, string name) =>
        head.Find(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)) is { } line ? line[(name.Length + 1)..].Trim() : null;

    private static void Copy(Stream from, Stream to, long length)
    {
        var buffer = new byte[1 << 16];
        while (length > 0)
        {
            var count = from.Read(buffer, 0, (int)Math.Min(length, buffer.Length));
            if (count == 0)
            {
                throw new IOException("the other side ended in the middle");
            }

            to.Write(buffer, 0, count);
            length -= count;
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
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or IOException)
            {
                // The connection or the listener was closed: nothing is left to relay.
            }
        })
        { IsBackground = true };
        thread.Start();
    }
}
