using System.CommandLine;
using ModelFs.Cli.Options;
using Spectre.Console;

namespace ModelFs.Cli.Watching;

/// <summary><c>modelfs top</c>: what mounts do right now, again and again.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan s_defaultInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_intervalMin = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan s_keyEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var mountPoint = new Argument<string?>("MOUNTPOINT") { Description = "One mount; without it, all of them.", Arity = ArgumentArity.ZeroOrOne };
        var interval = new Option<string?>("--interval", "-d") { HelpName = "SECONDS", Description = "Between two looks. Default: 1." };
        var count = new Option<int?>("--count", "-n") { HelpName = "N", Description = "How many times to show it. Default: until it is ended on a terminal, otherwise once." };
        var json = new Option<bool>("--json") { Description = "One line of JSON per mount and look: rates per second, models." };
        var command = new Command("top", "Show what mounts do right now: models, requests, bytes per second.") { mountPoint, interval, count, json };
        command.SetAction((result, cancellationToken) =>
        {
            var every = SecondsOption.Value(result, interval) ?? s_defaultInterval;
            if (every < s_intervalMin || result.GetValue(count) < 1)
            {
                throw CommandException.Usage($"--interval is at least {s_intervalMin.TotalSeconds} s, and --count at least 1");
            }

            return RunAsync(services, result.GetValue(mountPoint), every, result.GetValue(count), result.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CommandServices services, string? place, TimeSpan interval, int? count, bool asJson, CancellationToken cancellationToken)
    {
        var isLive = services.Console.Profile.Capabilities.Interactive && !asJson;
        var watch = new TopWatch(services, place);
        await watch.LookAsync().ConfigureAwait(false);
        try
        {
            if (isLive)
            {
                await ShowLiveAsync(services, watch, interval, count, cancellationToken).ConfigureAwait(false);
                return ExitCode.Done;
            }

            for (var shown = 0; shown < (count ?? 1); shown++)
            {
                await Task.Delay(interval, services.Time, cancellationToken).ConfigureAwait(false);
                Write(services, await watch.LookAsync().ConfigureAwait(false), asJson);
            }
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how it is ended.
        }

        return ExitCode.Done;
    }

    private static void Write(CommandServices services, IReadOnlyList<TopSample> samples, bool asJson)
    {
        if (!asJson)
        {
            services.Console.Write(new TopView(services.Time).Draw(samples, int.MaxValue));
            return;
        }

        foreach (var sample in samples)
        {
            services.Out.WriteLine(sample.ToJson());
        }
    }

    private static Task ShowLiveAsync(CommandServices services, TopWatch watch, TimeSpan interval, int? count, CancellationToken cancellationToken) =>
        services.Console.Live(new Text("")).AutoClear(false).Overflow(VerticalOverflow.Crop).StartAsync(async context =>
        {
            var view = new TopView(services.Time);
            for (var shown = 0; count is null || shown < count; shown++)
            {
                if (await IsEndedAsync(services, interval, cancellationToken).ConfigureAwait(false))
                {
                    return;
                }

                var samples = await watch.LookAsync().ConfigureAwait(false);
                context.UpdateTarget(view.Draw(samples, services.Console.Profile.Height));
                context.Refresh();
            }
        });

    /// <summary>Waits until the next look; true when the user pressed <c>q</c>.</summary>
    private static async Task<bool> IsEndedAsync(CommandServices services, TimeSpan interval, CancellationToken cancellationToken)
    {
        for (var left = interval; left > TimeSpan.Zero; left -= s_keyEvery)
        {
            if (!Console.IsInputRedirected && services.Console.Input.IsKeyAvailable() && services.Console.Input.ReadKey(intercept: true) is { KeyChar: 'q' or 'Q' })
            {
                return true;
            }

            await Task.Delay(left < s_keyEvery ? left : s_keyEvery, services.Time, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }
}
