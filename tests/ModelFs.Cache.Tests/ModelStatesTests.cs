using ModelFs.Models;

namespace ModelFs.Cache.Tests;

internal sealed class ModelStatesTests
{
    private static readonly (ModelState From, ModelState To)[] s_steps =
    [
        (ModelState.Absent, ModelState.Fetching), (ModelState.Absent, ModelState.Dirty), (ModelState.Absent, ModelState.Ready),
        (ModelState.Fetching, ModelState.Ready), (ModelState.Fetching, ModelState.Failed),
        (ModelState.Ready, ModelState.Dirty), (ModelState.Ready, ModelState.Absent),
        (ModelState.Dirty, ModelState.Publishing), (ModelState.Dirty, ModelState.Absent),
        (ModelState.Publishing, ModelState.Ready), (ModelState.Publishing, ModelState.Dirty), (ModelState.Publishing, ModelState.Failed),
        (ModelState.Publishing, ModelState.Conflicted),
        (ModelState.Failed, ModelState.Fetching), (ModelState.Failed, ModelState.Publishing), (ModelState.Failed, ModelState.Dirty), (ModelState.Failed, ModelState.Absent),
        (ModelState.Conflicted, ModelState.Absent),
    ];

    [Test]
    public void The_table_allows_exactly_the_steps_of_the_design()
    {
        var all = Enum.GetValues<ModelState>();
        var allowed = all.SelectMany(from => all.Select(to => (from, to))).Where(step => ModelStates.CanFollow(step.from, step.to));
        Assert.That(allowed, Is.EquivalentTo(s_steps));
    }

    [Test]
    public void Every_state_can_be_reached_and_left()
    {
        foreach (var state in Enum.GetValues<ModelState>())
        {
            Assert.That(s_steps.Any(step => step.From == state), Is.True, $"{state} is a dead end");
            Assert.That(s_steps.Any(step => step.To == state), Is.True, $"{state} is never reached");
        }
    }
}
