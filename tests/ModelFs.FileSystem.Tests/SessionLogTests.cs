using System.Globalization;

namespace ModelFs.FileSystem.Tests;

/// <summary>What a daemon writes down for its successor comes back the same, whenever it died.</summary>
internal sealed class SessionLogTests
{
    private const int SegmentBytes = 1 << 20;

    private string _home = "";

    private string Path => System.IO.Path.Combine(_home, "log");

    [SetUp]
    public void MakeHome() => _home = Directory.CreateTempSubdirectory("modelfs-log-").FullName;

    [TearDown]
    public void RemoveHome() => Directory.Delete(_home, recursive: true);

    [Test]
    public void A_hundred_thousand_records_of_every_type_come_back_the_same()
    {
        var random = new Random(7);
        var types = Enum.GetValues<SessionRecordType>();
        var written = Enumerable.Range(0, 100_000).Select(number => new SessionRecord(
            types[number % types.Length],
            (ulong)random.NextInt64(),
            (ulong)random.NextInt64(),
            (byte)random.Next(256),
            random.NextInt64(long.MinValue, long.MaxValue),
            string.Concat(Enumerable.Repeat("ü", random.Next(60))) + number.ToString(CultureInfo.InvariantCulture))).ToList();
        using (var log = SessionLog.Create(Path))
        {
            foreach (var record in written)
            {
                log.Append(record);
            }
        }

        Assert.That(new FileInfo(Path).Length, Is.GreaterThan(3 * SegmentBytes), "several segments");
        Assert.That(Replay(), Is.EqualTo(written));
    }

    [Test]
    public void A_successor_goes_on_where_the_log_ends()
    {
        for (var daemon = 1; daemon <= 5; daemon++)
        {
            using var log = daemon == 1 ? SessionLog.Create(Path) : SessionLog.Resume(Path, _ => { });
            for (var record = 0; record < 9_000; record++)
            {
                log.Append(new SessionRecord(SessionRecordType.Node, (ulong)((daemon * 10_000) + record), Text: "name"));
            }
        }

        var expected = Enumerable.Range(1, 5).SelectMany(daemon => Enumerable.Range(0, 9_000).Select(record => (ulong)((daemon * 10_000) + record)));
        Assert.That(Replay().Select(record => record.First), Is.EqualTo(expected));
    }

    [Test]
    public void A_log_that_only_opens_and_closes_does_not_grow_for_ever_and_still_tells_what_is_open()
    {
        using (var log = SessionLog.Create(Path))
        {
            log.Append(new SessionRecord(SessionRecordType.Resume, 0));
            log.Append(new SessionRecord(SessionRecordType.Node, 3, 1, (byte)InodeKind.Model, 0, "bert"));
            log.Append(new SessionRecord(SessionRecordType.Bind, 3, 0, 0, 7));
            log.Append(new SessionRecord(SessionRecordType.Node, 2, 3, (byte)InodeKind.Tree, 7, "file"));
            log.Append(new SessionRecord(SessionRecordType.Open, 1, 2, 1, 11, "file"));
            log.Append(new SessionRecord(SessionRecordType.Cached, 1));
            for (ulong round = 0; round < 1_000_000; round++)
            {
                log.Append(new SessionRecord(SessionRecordType.Node, round + 10, 3, (byte)InodeKind.Tree, 7, "other"));
                log.Append(new SessionRecord(SessionRecordType.Open, round + 2, round + 10, 0, (long)round + 20));
                log.Append(new SessionRecord(SessionRecordType.Close, round + 2));
                log.Append(new SessionRecord(SessionRecordType.Intent, round, Signed: (long)round));
                log.Append(new SessionRecord(SessionRecordType.Forget, round + 10));
            }

            log.Append(new SessionRecord(SessionRecordType.Move, 2, 3, Text: "moved"));
            Assert.That(log.Length, Is.LessThan(40 * SegmentBytes));
        }

        Assert.That(new FileInfo(Path).Length, Is.LessThan(40 * SegmentBytes));
        var fold = new SessionFold();
        Replay().ForEach(fold.Apply);
        var left = fold.Records().ToList();
        Assert.That(left.Where(record => record.Type is not (SessionRecordType.Intent or SessionRecordType.Forget)), Is.EqualTo(
        [
            new SessionRecord(SessionRecordType.Resume, 0),
            new SessionRecord(SessionRecordType.Node, 3, 1, (byte)InodeKind.Model, 0, "bert"),
            new SessionRecord(SessionRecordType.Bind, 3, 0, 0, 7),
            new SessionRecord(SessionRecordType.Node, 2, 3, (byte)InodeKind.Tree, 7, "moved"),
            new SessionRecord(SessionRecordType.Open, 1, 2, 1, 11, "file"),
            new SessionRecord(SessionRecordType.Cached, 1),
        ]));
        Assert.That(left.Last(record => record.Type == SessionRecordType.Intent).First, Is.EqualTo(999_999), "the latest intents stay");
        Assert.That(left.Single(record => record.Type == SessionRecordType.Forget).First, Is.EqualTo(1_000_009), "the largest id is never given out again");
    }

    [Test]
    public void A_record_that_was_not_finished_is_not_there()
    {
        using (var log = SessionLog.Create(Path))
        {
            log.Append(new SessionRecord(SessionRecordType.Node, 1, Text: "whole"));
            log.Append(new SessionRecord(SessionRecordType.Node, 2, Text: "torn"));
        }

        // The length is stored last: a daemon that died before left the rest of the record behind a length of 0.
        var bytes = File.ReadAllBytes(Path);
        var second = BitConverter.ToUInt16(bytes, 0);
        bytes[second] = bytes[second + 1] = 0;
        File.WriteAllBytes(Path, bytes);
        using (var log = SessionLog.Resume(Path, _ => { }))
        {
            log.Append(new SessionRecord(SessionRecordType.Node, 3, Text: "x"));
        }

        Assert.That(Replay().Select(record => record.First), Is.EqualTo(new ulong[] { 1, 3 }));
    }

    [Test]
    public void A_way_to_a_segment_that_was_never_made_ends_the_log()
    {
        var written = Fill();
        Truncate(SegmentBytes);
        var found = Replay();
        Assert.That(found, Is.Not.Empty.And.EqualTo(written.Take(found.Count)));
        using (var log = SessionLog.Resume(Path, _ => { }))
        {
            log.Append(new SessionRecord(SessionRecordType.Done, 99));
        }

        Assert.That(Replay()[^1].First, Is.EqualTo(99));
    }

    [Test]
    public void A_file_that_is_no_log_is_refused()
    {
        File.WriteAllText(Path, "x");
        Assert.That(() => SessionLog.Resume(Path, _ => { }), Throws.InstanceOf<IOException>().With.Message.Contains(Path));
    }

    [Test]
    public void A_new_session_forgets_the_one_before()
    {
        Fill();
        SessionLog.Create(Path).Dispose();
        Assert.That(Replay(), Is.Empty);
    }

    private List<SessionRecord> Fill()
    {
        var written = Enumerable.Range(1, 40_000).Select(number => new SessionRecord(SessionRecordType.Close, (ulong)number)).ToList();
        using var log = SessionLog.Create(Path);
        foreach (var record in written)
        {
            log.Append(record);
        }

        return written;
    }

    private void Truncate(long length)
    {
        using var file = File.Open(Path, FileMode.Open);
        file.SetLength(length);
    }

    private List<SessionRecord> Replay()
    {
        var records = new List<SessionRecord>();
        SessionLog.Resume(Path, records.Add).Dispose();
        return records;
    }
}
