using ModelFs.Cache;
using ModelFs.Cache.Posix;
using ModelFs.Fuse;

namespace ModelFs.Mount.Tests;

internal sealed class ErrnoMapTests
{
    [TestCase(ModelErrorKind.NotFound, FuseErrno.ENOENT)]
    [TestCase(ModelErrorKind.AccessDenied, FuseErrno.EACCES)]
    [TestCase(ModelErrorKind.BadArchive, FuseErrno.EIO)]
    [TestCase(ModelErrorKind.NoSpace, FuseErrno.ENOSPC)]
    [TestCase(ModelErrorKind.Unavailable, FuseErrno.EIO)]
    [TestCase(ModelErrorKind.Busy, FuseErrno.EBUSY)]
    [TestCase(ModelErrorKind.Conflict, FuseErrno.ESTALE)]
    [TestCase(ModelErrorKind.NotPermitted, FuseErrno.EPERM)]
    [TestCase(ModelErrorKind.CacheFailed, FuseErrno.EIO)]
    public void A_failure_of_a_model_is_this_errno(ModelErrorKind kind, FuseErrno errno) => Assert.That(ErrnoMap.From(kind), Is.EqualTo(errno));

    [Test]
    public void No_failure_is_a_success()
    {
        Assert.That(Enum.GetValues<ModelErrorKind>().Select(ErrnoMap.From), Has.None.EqualTo(FuseErrno.None));
    }

    [Test]
    public void Errors_of_the_disk_keep_their_numbers_and_names()
    {
        foreach (var error in Enum.GetValues<Errno>())
        {
            Assert.That((int)ErrnoMap.From(error), Is.EqualTo((int)error));
            if (Enum.TryParse<FuseErrno>(error.ToString(), out var same))
            {
                Assert.That(ErrnoMap.From(error), Is.EqualTo(same), "both tables name the same number");
            }
        }
    }
}
