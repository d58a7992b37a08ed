using Microsoft.Extensions.Logging;
using ModelFs.Cache.Posix;

namespace ModelFs.Mount;

/// <summary>
/// Which nodes the kernel reads and writes by itself, through a registered file of the cache. The kernel wants all opens of a node that are
/// alive together to agree: all through the same registration, or all through the page cache.
/// </summary>
/// <remarks>Registrations are kept for nodes that are not open, up to a number, because the next open is often near.</remarks>
public sealed partial class PassthroughTable
{
    private const int IdleMax = 4096;
    private const ulong ProbeNode = ulong.MaxValue;

    private readonly IBackingFiles _files;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Node> _nodes = [];
    private readonly LinkedList<ulong> _idle = [];

    /// <summary>Makes the table; nothing passes through until <see cref="Decide"/> has found that it can.</summary>
    public PassthroughTable(IBackingFiles files, ILogger<PassthroughTable> logger)
    {
        _files = files;
        _logger = logger;
    }

    /// <summary>Why files are not passed through; null when they are.</summary>
    public string? WhyOff { get; private set; } = "not tried yet";

    /// <summary>Finds out whether files can pass through, by registering one; call once, before the first request is served.</summary>
    /// <param name="whyNot">Why it is out of the question; null when it is not.</param>
    /// <param name="probeFile">Any file on the cache's file system.</param>
    public void Decide(string? whyNot, string probeFile) => WhyOff = whyNot ?? Probe(probeFile);

    /// <summary>Notes that a node is open since before this daemon began.</summary>
    /// <param name="nodeId">The node.</param>
    /// <param name="isCached">Whether through the page cache, or through its registration.</param>
    public void Inherit(ulong nodeId, bool isCached)
    {
        lock (_gate)
        {
            if (WhyOff is null)
            {
                var node = NodeOf(nodeId);
                node.Opens++;
                node.IsInherited |= !isCached;
                node.IsCached |= isCached;
            }
        }
    }

    /// <summary>Counts an open of a node whose file is complete.</summary>
    /// <param name="nodeId">The node.</param>
    /// <param name="path">Its file.</param>
    /// <param name="isCounted">Whether this open was counted by <see cref="Inherit"/> already.</param>
    /// <param name="canCache">Whether it may go through the page cache, which is cheaper than a registration, if nothing speaks for passthrough.</param>
    /// <returns>The registration's id, or 0 when this open goes through the page cache.</returns>
    public int Open(ulong nodeId, string path, bool isCounted, bool canCache)
    {
        if (WhyOff is not null)
        {
            return 0;
        }

        lock (_gate)
        {
            var node = NodeOf(nodeId);
            if (node.BackingId == 0 && node.Opens == 0 && canCache)
            {
                node.IsCached = true;
            }
            else if (node.BackingId == 0 && (node.Opens == 0 || !node.IsCached))
            {
                node.BackingId = Register(nodeId, path);
                node.IsCached = node.BackingId == 0;
            }

            node.Opens += isCounted ? 0 : 1;
            Use(node);
            return node.BackingId;
        }
    }

    /// <summary>Counts a release.</summary>
    public void Release(ulong nodeId)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(nodeId, out var node) && --node.Opens <= 0)
            {
                node.Opens = 0;
                if (node.BackingId == 0)
                {
                    Drop(nodeId, node);
                    return;
                }

                node.Idle = _idle.AddLast(nodeId);
                if (_idle.Count > IdleMax)
                {
                    var oldest = _idle.First!.Value;
                    Drop(oldest, _nodes[oldest]);
                }
            }
        }
    }

    /// <summary>The kernel forgot a node.</summary>
    public void Forget(ulong nodeId)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(nodeId, out var node) && node.Opens == 0)
            {
                Drop(nodeId, node);
            }
        }
    }

    private string? Probe(string probeFile)
    {
        if (PosixFile.Open(probeFile, PosixFile.ReadOnly, 0, out var file) is var error && error != Errno.None)
        {
            return $"cannot open {probeFile}: {error}";
        }

        using (file)
        {
            try
            {
                _ = _files.Open(ProbeNode, file);
                _files.Close(ProbeNode);
                return null;
            }
            catch (IOException refused)
            {
                return refused.Message;
            }
        }
    }

    private Node NodeOf(ulong nodeId)
    {
        if (!_nodes.TryGetValue(nodeId, out var node))
        {
            _nodes[nodeId] = node = new Node();
        }

        return node;
    }

    private void Use(Node node)
    {
        if (node.Idle is { } place)
        {
            _idle.Remove(place);
            node.Idle = null;
        }
    }

    private void Drop(ulong nodeId, Node node)
    {
        Use(node);
        _nodes.Remove(nodeId);
        if (node.BackingId != 0 || node.IsInherited)
        {
            _files.Close(nodeId);
        }
    }

    private int Register(ulong nodeId, string path)
    {
        try
        {
            if (PosixFile.Open(path, PosixFile.ReadOnly, 0, out var file) is var error && error != Errno.None)
            {
                LogRefused(_logger, path, error.ToString());
                return 0;
            }

            using (file)
            {
                return _files.Open(nodeId, file);
            }
        }
        catch (IOException refused)
        {
            LogRefused(_logger, path, refused.Message);
            return 0;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} goes through the page cache instead of passthrough: {Reason}")]
    private static partial void LogRefused(ILogger logger, string path, string reason);

    private sealed class Node
    {
        public int BackingId { get; set; }

        public bool IsCached { get; set; }

        /// <summary>It was registered by a daemon before this one, whether this one knows the id or not.</summary>
        public bool IsInherited { get; set; }

        public int Opens { get; set; }

        public LinkedListNode<ulong>? Idle { get; set; }
    }
}
