using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using ModelFs.Fuse;

namespace ModelFs.Benchmarks;

/// <summary>
/// One request and its reply, through a session over a socket pair in place of the kernel: two switches between threads, the frame, the dispatch. What a
/// file system adds is not in it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls the cleanup, and derives from the class.")]
public class FuseRequestBenchmarks
{
    private const uint Lookup = 1, GetAttributes = 3, Open = 14, Read = 15;

    private readonly byte[] _lookup = KernelEnd.Request(Lookup, "file_000001\0"u8);
    private readonly byte[] _getAttributes = KernelEnd.Request(GetAttributes, new byte[16]);
    private readonly byte[] _open = KernelEnd.Request(Open, new byte[8]);
    private readonly byte[] _read = KernelEnd.Request(Read, ReadPayload());
    private KernelEnd? _kernel;
    private FuseSession? _session;
    private Task<FuseSessionEnd>? _running;

    /// <summary>Starts a session.</summary>
    [GlobalSetup]
    public void Start()
    {
        _kernel = new KernelEnd();
        _session = new FuseSession(_kernel.DaemonEnd, new ConstantOperations(), new FuseSessionOptions { MaxWrite = 128 << 10 }, NullLogger.Instance);
        var negotiated = _session.InitializeAsync();
        _kernel.Ask(KernelEnd.Init());
        negotiated.GetAwaiter().GetResult();
        _running = _session.RunAsync();
    }

    /// <summary>Ends it.</summary>
    [GlobalCleanup]
    public void End()
    {
        _session?.Stop();
        _running?.GetAwaiter().GetResult();
        _session?.Dispose();
        _kernel?.Dispose();
    }

    /// <summary>LOOKUP.</summary>
    [Benchmark]
    public int LookupRequest() => _kernel!.Ask(_lookup);

    /// <summary>GETATTR.</summary>
    [Benchmark(Baseline = true)]
    public int GetAttributesRequest() => _kernel!.Ask(_getAttributes);

    /// <summary>OPEN.</summary>
    [Benchmark]
    public int OpenRequest() => _kernel!.Ask(_open);

    /// <summary>READ of 4 KiB.</summary>
    [Benchmark]
    public int ReadRequest() => _kernel!.Ask(_read);

    /// <summary>fuse_read_in: the size stands at byte 16.</summary>
    private static byte[] ReadPayload()
    {
        var payload = new byte[40];
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(16), 4096);
        return payload;
    }

    /// <summary>Answers at once and always the same.</summary>
    private sealed class ConstantOperations : FuseOperationsBase
    {
        private static readonly FuseAttributes s_attributes = new() { Inode = 2, Mode = 0x81A4, LinkCount = 1, Size = 4096 };

        public override ValueTask<FuseResult<FuseEntry>> LookupAsync(FuseRequest request, ulong parent, string name) =>
            new(FuseResult<FuseEntry>.Success(new FuseEntry { NodeId = 2, Attributes = s_attributes, EntryValid = TimeSpan.FromHours(1), AttributesValid = TimeSpan.FromHours(1) }));

        public override ValueTask<FuseResult<FuseAttributesReply>> GetAttributesAsync(FuseRequest request, ulong nodeId, ulong? fileHandle) =>
            new(new FuseAttributesReply(s_attributes, TimeSpan.FromHours(1)));

        public override ValueTask<FuseResult<FuseOpened>> OpenAsync(FuseRequest request, ulong nodeId, FuseFileFlags flags) =>
            new(FuseResult<FuseOpened>.Success(new FuseOpened(1, FuseOpenFlags.KeepCache)));

        public override ValueTask<FuseResult<int>> ReadAsync(FuseRequest request, ulong nodeId, ulong fileHandle, long offset, Memory<byte> buffer, FuseFileFlags flags) =>
            new(FuseResult<int>.Success(buffer.Length));
    }
}
