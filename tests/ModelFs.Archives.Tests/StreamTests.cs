using System.IO.Compression;
using ModelFs.Archives.Streaming;
using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>How unpacking treats the stream that it is given, and what it leaves behind.</summary>
public sealed class StreamTests
{
    private static readonly byte[] s_tar = new RawTar().Add("f", content: new string('x', 100_000)).Tar();
    private static readonly byte[] s_archive = RawTar.Gzip(s_tar);

    [Test]
    public async Task Progress_ends_at_the_length_of_the_archive()
    {
        using var temporary = new TemporaryFolder();
        var seen = new Reports();
        await ModelUnpacker.UnpackAsync(
            new MemoryStream(s_archive), s_archive.Length, ArchiveFormat.TarGz, Unpacking.Bert, temporary.Path, UnpackLimits.Default, seen, CancellationToken.None);
        Assert.That(seen.Values, Is.Ordered.And.Not.Empty);
        Assert.That(seen.Values[^1], Is.EqualTo(s_archive.Length));
    }

    [Test]
    public async Task Blocks_that_a_stream_lends_are_used_in_order_until_the_next_is_asked_for([Values(ArchiveFormat.TarGz, ArchiveFormat.Tar)] ArchiveFormat format, [Values(1, 700, 1 << 20)] int most)
    {
        using var temporary = new TemporaryFolder();
        var archive = format == ArchiveFormat.TarGz ? s_archive : s_tar;
        var seen = new Reports();
        var model = await ModelUnpacker.UnpackAsync(
            new LendingStream(archive, most), archive.Length, format, Unpacking.Bert, temporary.Path, UnpackLimits.Default, seen, CancellationToken.None);
        Assert.That(model.Entries.Single(entry => entry.Path == "f").Size, Is.EqualTo(100_000));
        Assert.That(File.ReadAllText(temporary.Path + "/f"), Is.EqualTo(new string('x', 100_000)));
        Assert.That(seen.Values[^1], Is.EqualTo(archive.Length));
    }

    [Test]
    public async Task An_archive_whose_lent_blocks_end_early_or_late_is_refused([Values(-1, 1)] int difference)
    {
        using var temporary = new TemporaryFolder();
        try
        {
            await ModelUnpacker.UnpackAsync(
                new LendingStream(s_archive, 700), s_archive.Length + difference, ArchiveFormat.TarGz, Unpacking.Bert, temporary.Path, UnpackLimits.Default, null, CancellationToken.None);
            Assert.Fail("it was accepted");
        }
        catch (ArchiveException refusal)
        {
            Assert.That(refusal.Message, Does.Contain("bytes that the store lists"));
        }
    }

    [Test]
    public async Task The_error_of_the_stream_itself_is_not_taken_for_damage([Values(ArchiveFormat.TarGz, ArchiveFormat.Tar, ArchiveFormat.TarBz2, ArchiveFormat.Zip)] ArchiveFormat format)
    {
        using var temporary = new TemporaryFolder();
        var stream = new BrokenStream(s_archive.AsMemory(0, 20));
        try
        {
            await ModelUnpacker.UnpackAsync(
                stream, s_archive.Length, format, Unpacking.Bert, temporary.Path, UnpackLimits.Default, null, CancellationToken.None);
            Assert.Fail("it was accepted");
        }
        catch (IOException error)
        {
            Assert.That(error, Is.SameAs(stream.Error));
        }
    }

    [Test]
    public void Cancelling_ends_the_wait_for_a_stream_that_gives_nothing()
    {
        using var temporary = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var unpacking = ModelUnpacker.UnpackAsync(
            new SilentStream(), 1000, ArchiveFormat.TarGz, Unpacking.Bert, temporary.Path, UnpackLimits.Default, null, stop.Token);
        stop.Cancel();
        Assert.That(async () => await unpacking, Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase("../evil")]
    [TestCase("/etc/evil")]
    public async Task An_unsafe_zip_is_refused_and_its_spool_file_is_gone(string name)
    {
        var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var content = zip.CreateEntry(name).Open();
            content.Write("evil"u8);
        }

        using var temporary = new TemporaryFolder();
        var target = temporary.Folder("target");
        try
        {
            await Unpacking.ToFolderAsync(packed.ToArray(), target, ArchiveFormat.Zip);
            Assert.Fail("it was accepted");
        }
        catch (ArchiveException refusal)
        {
            Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.Unsafe));
        }

        Assert.That(Directory.GetFileSystemEntries(temporary.Path, "*", SearchOption.AllDirectories), Is.EqualTo(new[] { target }));
    }

    private sealed class Reports : IProgress<long>
    {
        public List<long> Values { get; } = [];

        public void Report(long value) => Values.Add(value);
    }

    /// <summary>Gives some bytes, then fails as a lost connection does.</summary>
    private sealed class BrokenStream(ReadOnlyMemory<byte> bytes) : AsyncOnlyStream
    {
        private bool _given;

        public IOException Error { get; } = new("connection reset");

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_given)
            {
                throw Error;
            }

            _given = true;
            bytes.CopyTo(buffer);
            return ValueTask.FromResult(bytes.Length);
        }
    }

    private sealed class SilentStream : AsyncOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return 0;
        }
    }

    /// <summary>Lends one array again and again, as a reader does that reuses its buffers.</summary>
    private sealed class LendingStream(byte[] bytes, int most) : AsyncOnlyStream, IBlockSource
    {
        private readonly byte[] _lent = new byte[most];
        private int _position;

        public async ValueTask<ReadOnlyMemory<byte>> NextBlockAsync(int bytesWanted, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Array.Fill(_lent, (byte)0xEE);
            var count = Math.Min(Math.Min(most, bytesWanted), bytes.Length - _position);
            bytes.AsSpan(_position, count).CopyTo(_lent);
            _position += count;
            return _lent.AsMemory(0, count);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }

    private abstract class AsyncOnlyStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
