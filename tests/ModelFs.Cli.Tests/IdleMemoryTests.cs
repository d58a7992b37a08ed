using ModelFs.Cli.Daemon;

namespace ModelFs.Cli.Tests;

public sealed class IdleMemoryTests
{
    private long _allocated;
    private int _collections;

    [SetUp]
    public void SetUp() => (_allocated, _collections) = (0, 0);

    [Test]
    public async Task Garbage_is_collected_once_when_the_daemon_rests_and_not_while_it_works()
    {
        await using var memory = new IdleMemory(() => _allocated, () => _collections++);
        for (var second = 0; second < 10; second++)
        {
            _allocated += 5 << 20;
            memory.Look();
        }

        Assert.That(_collections, Is.Zero, "it works");
        for (var second = 0; second < 10; second++)
        {
            _allocated += 1000;
            memory.Look();
        }

        Assert.That(_collections, Is.EqualTo(1), "nothing new to collect");
    }

    [Test]
    public async Task Little_garbage_is_left_to_the_runtime()
    {
        await using var memory = new IdleMemory(() => _allocated, () => _collections++);
        for (var second = 0; second < 40; second++)
        {
            _allocated += 200 << 10;
            memory.Look();
        }

        Assert.That(_collections, Is.Zero);
        _allocated += 200 << 10;
        memory.Look();
        Assert.That(_collections, Is.EqualTo(1), "many times little is much");
    }
}
