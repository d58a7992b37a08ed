using Spectre.Console;

namespace ModelFs.Cli.Transfers;

/// <summary>Shows what moves while a terminal watches, and nothing otherwise.</summary>
/// <param name="bars">The bars, or null.</param>
internal sealed class TransferView(ProgressContext? bars)
{
    /// <summary>Runs <paramref name="work"/> with a view that suits the console.</summary>
    /// <param name="console">Where bars go.</param>
    /// <param name="isQuiet">Whether standard output belongs to a program.</param>
    /// <param name="work">Told the view.</param>
    public static Task<T> ShowAsync<T>(IAnsiConsole console, bool isQuiet, Func<TransferView, Task<T>> work) => !isQuiet && console.Profile.Capabilities.Interactive
        ? console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new TransferView(context)))
        : work(new TransferView(null));

    /// <summary>Begins a step.</summary>
    /// <param name="what">What happens, for example <c>fetching bert</c>.</param>
    /// <param name="bytes">How many bytes it takes, 0 when nobody knows.</param>
    /// <returns>Is told the bytes done so far, from any thread.</returns>
    public IProgress<long> Begin(string what, long bytes)
    {
        if (bars is null)
        {
            return new Step(null);
        }

        var task = bars.AddTask(Markup.Escape(what), maxValue: Math.Max(1, bytes));
        task.IsIndeterminate = bytes == 0;
        return new Step(task);
    }

    private sealed class Step(ProgressTask? task) : IProgress<long>
    {
        public void Report(long value)
        {
            if (task is not null)
            {
                task.Value = value;
            }
        }
    }
}
