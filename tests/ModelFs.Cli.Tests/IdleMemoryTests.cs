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
        Pass(memory, seconds: 10, bytesEach: 5 << 20);

        Assert.That(_collections, Is.Zero, "it works");
        Pass(memory, seconds: 10, bytesEach: 1000);

        Assert.That(_collections, Is.EqualTo(1), "nothing new to collect");
    }

    [Test]
    public async Task Little_garbage_is_left_to_the_runtime()
    {
        await using var memory = new IdleMemory(() => _allocated, () => _collections++);
        Pass(memory, seconds: 40, bytesEach: 200 << 10);

        Assert.That(_collections, Is.Zero);
        Pass(memory, seconds: 1, bytesEach: 200 << 10);
        Assert.That(_collections, Is.EqualTo(1), "many times little is much");
    }

    private void Pass(IdleMemory memory, int seconds, long bytesEach)
    {
        for (var second = 0; second < seconds; second++)
        {
            _allocated += bytesEach;
            memory.Look();
        }
    }
}
