using ModelFs.FunctionalTests.Harness;
using ModelFs.FunctionalTests.Undo;

namespace ModelFs.FunctionalTests.Mongo;

/// <summary>Undo with the archives that ModelFs keeps beside a collection of documents.</summary>
internal sealed class MongoUndoTests : UndoContract
{
    private readonly string _database = $"{MongoServer.Endpoint}/t{Guid.NewGuid():N}";

    protected override string Address => _database + "?collection=models";

    [SetUp]
    public void A_server_is_there()
    {
        if (MongoServer.WhyNot is { } reason)
        {
            Assert.Ignore(reason);
        }
    }

    [TestCase(null, 1)]
    [TestCase("0", 0)]
    [TestCase("2", 2)]
    [Promise("U4")]
    public void As_many_versions_are_kept_as_was_asked_for(string? option, int count)
    {
        AssertKept(option, count, versions: 4);
    }
}
