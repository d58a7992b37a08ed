using System.Collections.Concurrent;
using System.Threading.Channels;
using ModelFs.Archives.Indexed;
using ModelFs.Models;

namespace ModelFs.Archives.Packing;

/// <summary>
/// Packs an indexed archive on all cores: one thread reads the tree into drafts, others encode them, and the caller writes them in order. The number of drafts bounds
/// memory and everybody's lead.
/// </summary>
internal sealed class IndexedPacking : IDisposable
{
    /// <summary>More encoders than this would wait for the reader and for the disk.</summary>
    private const int EncodersMax = 8;

    private readonly PackOptions _options;
    private readonly Stream _output;
    private readonly CancellationTokenSource _stop;
    private readonly BlockingCollection<MemberDraft> _free = [];
    private readonly BlockingCollection<MemberDraft> _toEncode = [];
    private readonly Channel<PackStep> _steps = Channel.CreateUnbounded<PackStep>(new() { SingleReader = true, SingleWriter = true });
    private readonly MemberProducer _producer;
    private readonly BaseMembers? _baseMembers;
    private readonly List<ArchiveMember> _members = [];
    private readonly List<ArchiveSegment> _segments = [];
    private CompressionReport _report;
    private int _draftsLeft;
    private long _written;

    private IndexedPacking(string folder, PackOptions options, Stream output, CancellationToken cancellationToken)
    {
        _options = options;
        _output = output;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _producer = new MemberProducer(folder, options, TakeDraft, Emit);
        _draftsLeft = Encoders + 3;
        _baseMembers = options is { ReadBase: { } read, Base: { } basis } ? new BaseMembers(basis, read, _stop.Token) : null;
    }

    private static int Encoders => Math.Min(Environment.ProcessorCount, EncodersMax);

    private string TopFolder => _options.Layout == ArchiveLayout.Named ? _options.Model.Name : "";

    /// <summary>Packs what the plan says; the output takes all but what is taken from the base.</summary>
    public static async Task<PackedModel> RunAsync(
        string folder, IReadOnlyList<PlanItem> plan, PackOptions options, Stream output, CancellationToken cancellationToken)
    {
        using var packing = new IndexedPacking(folder, options, output, cancellationToken);
        return await packing.RunAsync(plan).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _baseMembers?.Dispose();
        _stop.Dispose();
        _free.Dispose();
        _toEncode.Dispose();
    }

    private static Task OnOwnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task<PackedModel> RunAsync(IReadOnlyList<PlanItem> plan)
    {
        List<Task> threads = [OnOwnThread(() => Read(plan))];
        threads.AddRange(Enumerable.Range(0, Encoders).Select(_ => OnOwnThread(Encode)));
        try
        {
            await foreach (var step in _steps.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                await TakeStepAsync(step).ConfigureAwait(false);
            }

            await CopyBaseMembersAsync().ConfigureAwait(false);
            return await FinishAsync().ConfigureAwait(false);
        }
        finally
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(threads).ConfigureAwait(false);
        }
    }

    private void Read(IReadOnlyList<PlanItem> plan)
    {
        try
        {
            _producer.Run(plan);
            _steps.Writer.Complete();
        }
        catch (Exception error)
        {
            _steps.Writer.Complete(error);
        }
        finally
        {
            _toEncode.CompleteAdding();
        }
    }

    private MemberDraft TakeDraft()
    {
        if (_free.TryTake(out var draft))
        {
            return draft;
        }

        return _draftsLeft-- > 0 ? new MemberDraft() : _free.Take(_stop.Token);
    }

    private void Emit(PackStep step)
    {
        if (step is { Draft: { } draft, IsUnused: false })
        {
            _toEncode.Add(draft);
        }

        // Nobody bounds this queue: a draft is bounded by itself, and a member of the base is a number.
        _steps.Writer.TryWrite(step);
    }

    private void Encode()
    {
        using var encoder = new MemberEncoder(_options.Compression, _options.Level);
        try
        {
            foreach (var draft in _toEncode.GetConsumingEnumerable(_stop.Token))
            {
                try
                {
                    encoder.Encode(draft);
                    draft.Done.SetResult();
                }
                catch (Exception error)
                {
                    draft.Done.SetException(error);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end of a pack, good or bad.
        }
    }

    private async Task TakeStepAsync(PackStep step)
    {
        if (step.Draft is not { } draft)
        {
            var member = _options.Base!.Members[step.BaseMember];
            AddMember(member.ArchiveBytes, member.TarBytes, member.Coding, member.Digest);
            if (_baseMembers is not null)
            {
                await _baseMembers.AddAsync(step.BaseMember, WriteAsync).ConfigureAwait(false);
            }
            else
            {
                AddSegment(new ArchiveSegment(true, member.Offset, member.ArchiveBytes));
            }

            return;
        }

        if (!step.IsUnused)
        {
            await CopyBaseMembersAsync().ConfigureAwait(false);
            await draft.Done.Task.WaitAsync(_stop.Token).ConfigureAwait(false);
            AddMember(draft.ArchiveBytes, draft.Length, draft.Coding, draft.Digest);
            _report = _report.Plus(draft.Report);
            if (draft.IsLeft)
            {
                AddSegment(new ArchiveSegment(false, _written, draft.ArchiveBytes) { Piece = draft.Piece! with { Digest = draft.Digest } });
            }
            else
            {
                await WriteAsync(draft.Encoded.WrittenMemory).ConfigureAwait(false);
            }
        }

        draft.Clear();
        _free.Add(draft);
    }

    private Task CopyBaseMembersAsync() => _baseMembers?.FlushAsync(WriteAsync) ?? Task.CompletedTask;

    private void AddMember(int archiveBytes, int tarBytes, MemberCoding coding, ContentDigest digest)
    {
        var last = _members.Count == 0 ? default : _members[^1];
        _members.Add(new ArchiveMember(last.End, archiveBytes, last.TarEnd, tarBytes, coding, digest));
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await _output.WriteAsync(bytes, _stop.Token).ConfigureAwait(false);
        AddSegment(new ArchiveSegment(false, _written, bytes.Length));
        _written += bytes.Length;
    }

    /// <summary>Segments that continue each other become one.</summary>
    private void AddSegment(ArchiveSegment segment)
    {
        if (_segments.Count > 0 && _segments[^1] is { Piece: null } last && segment.Piece is null && last.IsFromBase == segment.IsFromBase && last.Offset + last.Length == segment.Offset)
        {
            _segments[^1] = last with { Length = last.Length + segment.Length };
        }
        else
        {
            _segments.Add(segment);
        }
    }

    private async Task<PackedModel> FinishAsync()
    {
        var entries = _producer.Packed;
        var end = IndexWriter.Make(_options.Layout, TopFolder, _members, entries);
        var length = _members[^1].End + end.Length;

        // A tree whose index this program would not take is better packed without one; it is read from front to end then.
        var isIndexed = ArchiveIndexReader.TryRead(end, length, _options.Model, UnpackLimits.Default, out _, out var index);
        if (isIndexed)
        {
            await WriteAsync(end).ConfigureAwait(false);
        }

        var sorted = entries.Select(entry => entry.Entry).OrderBy(entry => entry.Path, StringComparer.Ordinal).ToList();
        return new PackedModel(isIndexed ? length : _members[^1].End, sorted, _segments, _report, index)
        {
            BytesFromBase = _segments.Where(segment => segment.IsFromBase).Sum(segment => segment.Length) + (_baseMembers?.BytesCopied ?? 0),
        };
    }
}
