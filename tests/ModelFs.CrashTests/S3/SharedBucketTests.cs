using ModelFs.CrashTests.Histories;
using ModelFs.FunctionalTests.Harness;
using ModelFs.FunctionalTests.S3;

namespace ModelFs.CrashTests.S3;

/// <summary>Two and three mounts edit one model of a bucket, each by a way to the server that is cut and joined again.</summary>
internal sealed class SharedBucketTests
{
    [TestCase(2)]
    [LongCase("shared --store s3", 3)]
    [Promise("O1")]
    public void No_edit_is_lost_among_mounts_of_one_bucket(int mounts)
    {
        S3Server.RequireHere();
        var proxies = Enumerable.Range(0, mounts).Select(_ => new HttpFaultProxy(CephServer.Endpoint)).ToList();
        try
        {
            SharedFolderTests.Run(mounts, (home, random) =>
            {
                var store = new S3CrashStore();
                return new SharedStoreRun(home, store, random)
                {
                    UrlOf = mount => store.UrlAt(proxies[mount].Endpoint),
                    Cut = (mount, isCut) =>
                    {
                        proxies[mount].Decide = isCut ? (_, _) => ProxyVerdict.Close : (_, _) => ProxyVerdict.Pass;
                        if (isCut)
                        {
                            proxies[mount].CloseConnections();
                        }
                    },
                };
            });
        }
        finally
        {
            proxies.ForEach(proxy => proxy.Dispose());
        }
    }
}
