using System.Net.Sockets;

namespace ModelFs.Stores;

/// <summary>
/// TCP connections whose answers come at once. Many servers (Ceph's radosgw as it is installed) send the head and the body of an answer apart and have Nagle's algorithm
/// on: they hold the body back until the head is acknowledged, which Linux delays by 40 ms unless it is told not to.
/// </summary>
public static class PromptConnection
{
    /// <summary>Connects as <see cref="SocketsHttpHandler"/> itself does (RFC 896 and RFC 1122, section 4.2.3.2, say what is avoided).</summary>
    /// <exception cref="SocketException">It can't be connected.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return OperatingSystem.IsLinux() ? new PromptStream(socket) : new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Acknowledges what has come before it waits for more. The kernel forgets the option with every packet, so it is set at every read.</summary>
    private sealed class PromptStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        // netinet/tcp.h
        private const int IpProtoTcp = 6;
        private const int TcpQuickAck = 12;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Acknowledge();
            return base.ReadAsync(buffer, cancellationToken);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Acknowledge();
            return base.ReadAsync(buffer, offset, count, cancellationToken);
        }

        public override int Read(Span<byte> buffer)
        {
            Acknowledge();
            return base.Read(buffer);
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            Acknowledge();
            return base.Read(buffer, offset, count);
        }

        private void Acknowledge()
        {
            try
            {
                Socket.SetRawSocketOption(IpProtoTcp, TcpQuickAck, [1, 0, 0, 0]);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // It only makes things faster. What is wrong with the connection, the read says.
            }
        }
    }
}
