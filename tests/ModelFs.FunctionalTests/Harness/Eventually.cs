using System.Diagnostics;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>Waits for what another process does. Deadlines are far beyond what any machine needs: they end a broken test, they measure nothing.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    /// <param name="condition">Asked again and again until it is true.</param>
    /// <param name="what">Named when the deadline ends the wait.</param>
    /// <param name="deadline">A minute unless told otherwise.</param>
    /// <param name="pause">Between two questions; longer where asking disturbs what is waited for.</param>
    public static void True(Func<bool> condition, string what, TimeSpan? deadline = null, TimeSpan? pause = null)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > (deadline ?? s_deadline))
            {
                Assert.Fail($"did not come true within {clock.Elapsed.TotalSeconds:0} s: {what}");
            }

            Thread.Sleep(pause ?? TimeSpan.FromMilliseconds(20));
        }
    }

    /// <summary>Watches for <paramref name="period"/> that something stays as it is: for what must NOT happen.</summary>
    public static void StaysTrue(Func<bool> condition, string what, TimeSpan period)
    {
        var clock = Stopwatch.StartNew();
        do
        {
            Assert.That(condition(), Is.True, $"after {clock.Elapsed.TotalSeconds:0.0} s no longer true: {what}");
            Thread.Sleep(50);
        }
        while (clock.Elapsed < period);
    }
}
