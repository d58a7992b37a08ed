namespace ModelFs.Archives.Tests;

/// <summary>What an archive may unpack to is bounded before anything of it is written.</summary>
public sealed class LimitTests
{
    private static readonly string s_kibibytes = new('x', 4096);

    [Test]
    public async Task Too_many_entries_are_refused_with_implied_folders_counted()
    {
        var archive = new RawTar().Add("a/b/c", content: "x").Gzip();
        Assert.That((await Unpacking.AndDropAsync(archive, limits: new UnpackLimits(EntriesMax: 3))).Entries, Has.Count.EqualTo(4));
        Assert.That((await Unpacking.RefusalAsync(archive, limits: new UnpackLimits(EntriesMax: 2))).Kind, Is.EqualTo(ArchiveErrorKind.TooLarge));
    }

    [Test]
    public async Task Too_many_bytes_are_refused_with_hard_links_counted_as_copies()
    {
        var archive = new RawTar().Add("a", content: s_kibibytes).Add("b", '1', link: "a").Gzip();
        await Unpacking.AndDropAsync(archive, limits: new UnpackLimits(BytesMax: 8192));
        Assert.That((await Unpacking.RefusalAsync(archive, limits: new UnpackLimits(BytesMax: 8191))).Kind, Is.EqualTo(ArchiveErrorKind.TooLarge));
    }

    [Test]
    public async Task A_bomb_of_hard_links_is_refused()
    {
        var tar = new RawTar().Add("a", content: new string('x', 1 << 20));
        for (var i = 0; i < 200; i++)
        {
            tar.Add($"h{i}", '1', link: "a");
        }

        var refusal = await Unpacking.RefusalAsync(tar.Gzip());
        Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.TooLarge));
        Assert.That(refusal.Message, Does.Contain("times"));
    }

    [Test]
    public async Task A_header_that_claims_more_than_the_archive_can_hold_is_refused_before_space_is_taken()
    {
        var refusal = await Unpacking.RefusalAsync(new RawTar().Add("huge", size: 1L << 32).Gzip());
        Assert.That(refusal.Kind, Is.EqualTo(ArchiveErrorKind.TooLarge));
    }
}
