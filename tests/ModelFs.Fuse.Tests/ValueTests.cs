using System.Runtime.InteropServices;
using System.Text;

namespace ModelFs.Fuse.Tests;

/// <summary>The small values of the public surface.</summary>
public sealed class ValueTests
{
    [TestCase(0x0u, FuseAccessMode.ReadOnly, true, false)]
    [TestCase(0x1u, FuseAccessMode.WriteOnly, false, true)]
    [TestCase(0x2u, FuseAccessMode.ReadWrite, true, true)]
    [TestCase(0x3u, FuseAccessMode.ReadWrite, true, true)]
    public void The_access_mode_is_the_two_lowest_bits(uint flags, FuseAccessMode mode, bool read, bool write)
    {
        var value = new FuseFileFlags(flags | 0x8000);

        Assert.That(value.AccessMode, Is.EqualTo(mode));
        Assert.That(value.IsRead, Is.EqualTo(read));
        Assert.That(value.IsWrite, Is.EqualTo(write));
    }

    [Test]
    public void Each_flag_of_open_is_read_from_its_own_bit()
    {
        Assert.That(new FuseFileFlags(0x40).IsCreate, Is.True);
        Assert.That(new FuseFileFlags(0x80).IsExclusive, Is.True);
        Assert.That(new FuseFileFlags(0x200).IsTruncate, Is.True);
        Assert.That(new FuseFileFlags(0x400).IsAppend, Is.True);
        Assert.That(new FuseFileFlags(0x101000).IsSync, Is.True);
        Assert.That(new FuseFileFlags(0x40).IsExclusive || new FuseFileFlags(0x200).IsAppend, Is.False);
    }

    [TestCase(Architecture.X64, 0x4000u)]
    [TestCase(Architecture.Arm64, 0x10000u)]
    public void O_DIRECT_has_the_number_of_the_architecture(Architecture architecture, uint bit)
    {
        Assert.That(new FuseFileFlags(bit).IsDirectOn(architecture), Is.True);
        Assert.That(new FuseFileFlags(~bit).IsDirectOn(architecture), Is.False);
    }

    [Test]
    public void A_failure_has_no_value_and_says_so()
    {
        FuseResult<int> failure = FuseErrno.ENOENT;

        Assert.That(failure.IsSuccess, Is.False);
        Assert.That(() => failure.Value, Throws.InvalidOperationException.With.Message.Contains("ENOENT"));
        Assert.That(() => FuseResult<int>.Failure(FuseErrno.None), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(FuseResult<int>.Success(7).Value, Is.EqualTo(7));
    }

    [Test]
    public void A_listing_fills_its_buffer_to_the_last_record_that_fits_whole()
    {
        // 24 bytes of header and 1 of name take 32; two records take 64.
        var buffer = new FuseDirectoryBuffer(new byte[71]);

        Assert.That(buffer.TryAdd("a", 1, 0x81A4, 1), Is.True);
        Assert.That(buffer.TryAdd("b", 2, 0x81A4, 2), Is.True);
        Assert.That(buffer.TryAdd("c", 3, 0x81A4, 3), Is.False);
        Assert.That(buffer.Length, Is.EqualTo(64));
    }

    [TestCase(151)]
    [TestCase(152)]
    [TestCase(153)]
    [TestCase(159)]
    public void A_record_that_fits_only_without_its_padding_does_not_fit(int size)
    {
        var buffer = new FuseDirectoryPlusBuffer(new byte[size]);

        Assert.That(buffer.TryAdd("a", ScriptedOperations.Entry, 1), Is.False);
        Assert.That(buffer.Length, Is.Zero);
    }

    [Test]
    public void A_record_leaves_nothing_of_what_the_buffer_held_before()
    {
        byte[] used = [.. Enumerable.Repeat((byte)0xff, 160)];
        byte[] clean = new byte[160];

        Assert.That(new FuseDirectoryPlusBuffer(used).TryAdd("a", 1, 0x81A4, 1), Is.True);
        Assert.That(new FuseDirectoryPlusBuffer(clean).TryAdd("a", 1, 0x81A4, 1), Is.True);
        Assert.That(used, Is.EqualTo(clean));
    }

    [Test]
    public void An_entry_without_a_place_to_go_on_from_is_a_bug_of_the_caller()
    {
        var buffer = new FuseDirectoryBuffer(new byte[100]);

        Assert.That(() => buffer.TryAdd("a", 1, 0, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => buffer.TryAdd(string.Empty, 1, 0, 1), Throws.ArgumentException);
    }

    [Test]
    public void A_name_is_written_as_UTF_8()
    {
        byte[] memory = new byte[40];

        new FuseDirectoryBuffer(memory).TryAdd("\u6a21\u578b", 1, 0x41ED, 1);

        Assert.That(Encoding.UTF8.GetString(memory, 24, 6), Is.EqualTo("\u6a21\u578b"));
        Assert.That(memory[16], Is.EqualTo(6));
    }
}
